"""What has to be true after a fault: judged by S3's list and by the models, never by what the ledger says of itself."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import sqlalchemy as sa

from facefleet.face_records import Template
from facefleet.gallery.protocol import Gallery
from facefleet.ledger.clock import utc_now
from facefleet.ledger.database import Database
from facefleet.ledger.schema import face, photo
from facefleet.records import GalleryPoint, face_id_of, photo_id_of

_SAME_FACE = 0.99


@dataclass(frozen=True)
class Listed:
    """One object as S3 lists it."""

    uri: str
    etag: str
    #: Which of the drawn photos its bytes are.
    drawing: str


@dataclass(frozen=True)
class LedgerRow:
    uri: str
    state: str
    attempt: int
    crash_count: int
    reason: str | None
    detail: str | None


@dataclass(frozen=True)
class Verdict:
    """What became of one album."""

    listed: int
    indexed: int
    dead: Counter[str]
    #: Dead photos that the models can read.
    good_dead: int
    #: Photos that are neither indexed nor dead, or whose points are not there.
    lost: int
    #: Points and rows that are there twice, belong to nothing, or are of another face.
    duplicate_effects: int
    dead_without_reason: int
    redeliveries: int
    crashed: int


@dataclass(frozen=True)
class Oracle:
    """Reads the database and the gallery past the product."""

    database: Database
    gallery: Gallery
    model_version: str
    #: What the models find in each drawn photo, in order; None: they cannot read it.
    truth: Mapping[str, Sequence[Template] | None]

    def rows(self, album_id: UUID) -> list[LedgerRow]:
        columns = (
            photo.c.store_uri,
            photo.c.state,
            photo.c.attempt,
            photo.c.crash_count,
            photo.c.reason,
            photo.c.detail,
        )
        mine = sa.select(*columns).where(photo.c.album_id == album_id, photo.c.state != "deleted")
        return [LedgerRow(*row) for row in self._query(mine)]

    def held_leases(self) -> int:
        """Count the leases that are held at this instant."""
        held = sa.select(sa.func.count()).where(photo.c.state == "leased", photo.c.lease_until > utc_now())
        return int(self._query(held)[0][0])

    def unfinished_with_points(self, album_id: UUID) -> int:
        """Count photos that are not finished although the gallery has points of theirs."""
        mine = sa.select(photo.c.id).where(photo.c.album_id == album_id, photo.c.state.in_(("leased", "pending")))
        written = {point.photo_id for point in self.gallery.points(self.model_version, album_id)}
        return len(written & {row.id for row in self._query(mine)})

    def count_states(self, album_id: UUID) -> Counter[str]:
        """Count the album's photos by state."""
        counted = sa.select(photo.c.state, sa.func.count()).where(photo.c.album_id == album_id).group_by(photo.c.state)
        return Counter({state: count for state, count in self._query(counted) if state != "deleted"})

    def is_quiet(self, album_id: UUID, listed: int) -> bool:
        states = self.count_states(album_id)
        return states["indexed"] + states["dead"] == states.total() == listed

    def judge(self, album_id: UUID, listed: Sequence[Listed]) -> Verdict:
        rows = {row.uri: row for row in self.rows(album_id)}
        state_of = {uri: row.state for uri, row in rows.items()}
        expected = {
            face_id: template
            for each in listed
            if state_of.get(each.uri) == "indexed"
            for face_id, template in self._faces_of(album_id, each)
        }
        points = list(self.gallery.points(self.model_version, album_id))
        found = {point.face_id for point in points}
        dead = [row for row in rows.values() if row.state == "dead"]
        readable = {each.uri for each in listed if self.truth[each.drawing] is not None}
        return Verdict(
            listed=len(listed),
            indexed=sum(state == "indexed" for state in state_of.values()),
            dead=Counter(row.reason or "" for row in dead),
            good_dead=sum(row.uri in readable for row in dead),
            lost=sum(state_of.get(each.uri) not in ("indexed", "dead") for each in listed) + len(set(expected) - found),
            duplicate_effects=self._count_doubled(album_id, expected, points)
            + len(set(rows) - {each.uri for each in listed})
            + sum(state == "indexed" and uri not in readable for uri, state in state_of.items()),
            dead_without_reason=sum(not (row.reason and row.detail) for row in dead),
            redeliveries=sum(row.attempt > 1 for row in rows.values()),
            crashed=sum(row.crash_count > 0 for row in rows.values()),
        )

    def _count_doubled(self, album_id: UUID, expected: Mapping[UUID, Template], points: Sequence[GalleryPoint]) -> int:
        twice = len(points) - len({point.face_id for point in points})
        extra = sum(point.face_id not in expected for point in points)
        other = sum(
            point.face_id in expected and float(np.dot(point.template, expected[point.face_id])) < _SAME_FACE
            for point in points
        )
        mine = sa.select(sa.func.count()).select_from(face.join(photo, photo.c.id == face.c.photo_id))
        face_rows = int(self._query(mine.where(photo.c.album_id == album_id))[0][0])
        return twice + extra + other + abs(face_rows - len(expected))

    def _faces_of(self, album_id: UUID, listed: Listed) -> list[tuple[UUID, Template]]:
        photo_id = photo_id_of(album_id, listed.uri, listed.etag, self.model_version)
        return [(face_id_of(photo_id, number), each) for number, each in enumerate(self.truth[listed.drawing] or ())]

    def _query(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        with self.database.reading() as connection:
            return connection.execute(query).all()
