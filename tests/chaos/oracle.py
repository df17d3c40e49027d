"""What has to be true after a fault: judged by S3's list and by the models, never by what the ledger says of itself."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from psycopg.rows import dict_row

from facefleet.gallery.protocol import Gallery
from facefleet.records import GalleryPoint, Template, face_id_of, photo_id_of

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

    postgres_url: str
    gallery: Gallery
    model_version: str
    #: What the models find in each drawn photo, in order.
    truth: Mapping[str, Sequence[Template]]

    def rows(self, album_id: UUID) -> list[LedgerRow]:
        query = (
            "SELECT store_uri AS uri, state, attempt, crash_count, reason, detail FROM photo "
            "WHERE album_id = %s AND state <> 'deleted'"
        )
        return [LedgerRow(**row) for row in self._query(query, album_id)]

    def held_leases(self) -> int:
        """Count the leases that are held at this instant."""
        return int(
            self._query("SELECT count(*) AS n FROM photo WHERE state = 'leased' AND lease_until > now()")[0]["n"]
        )

    def unfinished_with_points(self, album_id: UUID) -> int:
        """Count photos that are not finished although the gallery has points of theirs."""
        rows = self._query("SELECT id FROM photo WHERE album_id = %s AND state IN ('leased', 'pending')", album_id)
        written = {point.photo_id for point in self.gallery.points(self.model_version, album_id)}
        return len(written & {row["id"] for row in rows})

    def is_quiet(self, album_id: UUID, listed: int) -> bool:
        rows = self.rows(album_id)
        return len(rows) == listed and all(row.state in ("indexed", "dead") for row in rows)

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
        return Verdict(
            listed=len(listed),
            indexed=sum(state == "indexed" for state in state_of.values()),
            dead=Counter(row.reason or "" for row in dead),
            lost=sum(state_of.get(each.uri) not in ("indexed", "dead") for each in listed) + len(set(expected) - found),
            duplicate_effects=self._count_doubled(album_id, expected, points)
            + len(set(rows) - {e.uri for e in listed}),
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
        query = "SELECT count(*) AS n FROM face JOIN photo ON photo.id = face.photo_id WHERE photo.album_id = %s"
        face_rows = int(self._query(query, album_id)[0]["n"])
        return twice + extra + other + abs(face_rows - len(expected))

    def _faces_of(self, album_id: UUID, listed: Listed) -> list[tuple[UUID, Template]]:
        photo_id = photo_id_of(album_id, listed.uri, listed.etag, self.model_version)
        return [(face_id_of(photo_id, number), each) for number, each in enumerate(self.truth[listed.drawing])]

    def _query(self, query: str, *values: object) -> list[dict[str, Any]]:
        with psycopg.connect(self.postgres_url, row_factory=dict_row, connect_timeout=5) as connection:
            return connection.execute(query.encode(), values).fetchall()
