"""The faces of an album on their way into a grouping; `grouping_results` is its way back."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.ledger.clusterings import ClusteringLease, is_held
from facefleet.ledger.database import CHUNK, Database
from facefleet.ledger.grouping_results import finish_run, forget_deleted, strike_out, write_people
from facefleet.ledger.jobs import hold_album
from facefleet.ledger.people_history import hold_book
from facefleet.ledger.people_schema import (
    clustering,
    face_spot,
    not_person,
    people_change,
    person,
    unseen_photo,
)
from facefleet.ledger.persons import forget_dissolved
from facefleet.ledger.schema import face, photo, state_is
from facefleet.ledger.spots import fetch_in_chunks, relink
from facefleet.people.matching import KnownPeople
from facefleet.people_records import Grouped, Unseen
from facefleet.records import PhotoState

_IS_INDEXED = state_is(photo.c.state, PhotoState.INDEXED)
_FACES = (
    sa.select(face.c.id, face.c.photo_id, face.c.overall, face_spot.c.id.label("spot_id"))
    .add_columns(face_spot.c.person_id, face_spot.c.is_decided)
    .join(photo, photo.c.id == face.c.photo_id)
    .outerjoin(face_spot, face_spot.c.face_id == face.c.id)
    .where(_IS_INDEXED)
)


@dataclass(frozen=True)
class Groupings:
    """What a run reads and writes. Between the two, humans may decide more: what is written is matched with that."""

    database: Database

    def unseen(self, album_id: UUID) -> Unseen:
        """List the album's photos whose faces no run has looked at."""
        mine = sa.select(unseen_photo.c.photo_id, unseen_photo.c.stamp).where(unseen_photo.c.album_id == album_id)
        with self.database.reading() as connection:
            return Unseen({row.photo_id: row.stamp for row in connection.execute(mine)})

    def model_version(self, album_id: UUID) -> str | None:
        """Name the model version that most of the album's faces are of; None when it has no face."""
        faces = sa.func.sum(photo.c.face_count)
        versions = sa.select(photo.c.model_version).where(photo.c.album_id == album_id, _IS_INDEXED)
        versions = versions.group_by(photo.c.model_version).having(faces > 0)
        with self.database.reading() as connection:
            most = versions.order_by(faces.desc(), photo.c.model_version).limit(1)
            return connection.execute(most).scalar_one_or_none()

    def find_again(self, lease: ClusteringLease, model_version: str, photo_ids: Collection[UUID]) -> int:
        """Let decisions find their faces again after photos were indexed anew.

        Args:
            lease: nothing happens when the album is no longer the caller's.
            model_version: faces of this version are looked at.
            photo_ids: the photos.

        Returns:
            How many spots have another face now, or none.
        """
        sources = sa.select(photo.c.source_id).where(photo.c.album_id == lease.album_id)
        with self.database.writing() as connection:
            hold_book(connection, lease.tenant)
            if not _hold(connection, lease):
                return 0
            source_ids = {row.source_id for row in fetch_in_chunks(connection, sources, photo.c.id, photo_ids)}
            return relink(connection, model_version, source_ids)

    def faces(
        self, album_id: UUID, model_version: str, photo_ids: Collection[UUID] | None = None
    ) -> Sequence[sa.Row[Any]]:
        """Read the faces of an album, or of some of its photos: ids, quality, and whose they are."""
        with self.database.reading() as connection:
            return _read_faces(connection, album_id, model_version, photo_ids)

    def faces_named(self, album_id: UUID, face_ids: Collection[UUID]) -> Sequence[sa.Row[Any]]:
        """Read these faces of an album as `faces` does."""
        with self.database.reading() as connection:
            return fetch_in_chunks(connection, _FACES.where(face.c.album_id == album_id), face.c.id, face_ids)

    def sample(self, album_id: UUID, person_ids: Collection[UUID], most: int) -> list[UUID]:
        """Name some faces of each of these people (before merges) in an album, always the same."""
        rank = sa.func.row_number().over(partition_by=face_spot.c.person_id, order_by=face_spot.c.face_id)
        mine = sa.select(face_spot.c.person_id, face_spot.c.face_id, rank.label("rank")).where(
            face_spot.c.album_id == album_id, face_spot.c.face_id.is_not(None)
        )
        ranked = mine.where(face_spot.c.person_id.in_(sa.bindparam("people", expanding=True))).subquery()
        some = sa.select(ranked.c.face_id).where(ranked.c.rank <= most)
        ids = sorted(person_ids)
        with self.database.reading() as connection:
            pages = ({"people": ids[start : start + CHUNK]} for start in range(0, len(ids), CHUNK))
            return [face_id for page in pages for face_id in connection.execute(some, page).scalars()]

    def known_people(self, tenant: str, album_id: UUID) -> KnownPeople:
        """Read who there is, and what was decided about the album's faces."""
        with self.database.reading() as connection:
            return _read_people(connection, tenant, album_id)

    def settle(self, lease: ClusteringLease, grouped: Grouped) -> bool:
        """Write what a run found, matched with what humans decided up to now; returns whether the album was ours.

        Raises:
            AlbumNotFound: the album is gone.
        """
        with self.database.writing() as connection:
            hold_album(connection, lease.album_id)
            hold_book(connection, lease.tenant)
            if not _hold(connection, lease):
                return False
            labels, is_anew = grouped.grouping.labels, grouped.grouping.owners is None
            photo_ids = None if is_anew else _photos_of(connection, labels)
            rows = _read_faces(connection, lease.album_id, grouped.model_version, photo_ids)
            concerned = [row for row in rows if row.id in labels or photo_ids]
            people = _read_people(connection, lease.tenant, lease.album_id)
            write_people(connection, lease, grouped, concerned, people)
            if is_anew:
                forget_deleted(connection, lease.album_id)
                forget_dissolved(connection, lease.tenant)
            strike_out(connection, grouped.unseen)
            finish_run(connection, lease, grouped)
        return True


def _hold(connection: sa.Connection, lease: ClusteringLease) -> bool:
    mine = sa.select(clustering.c.album_id).where(*is_held(lease)).with_for_update()
    return connection.execute(mine).one_or_none() is not None


def _read_faces(
    connection: sa.Connection, album_id: UUID, model_version: str, photo_ids: Collection[UUID] | None
) -> Sequence[sa.Row[Any]]:
    mine = _FACES.where(face.c.album_id == album_id, photo.c.model_version == model_version)
    if photo_ids is None:
        return connection.execute(mine.order_by(face.c.id)).all()
    return fetch_in_chunks(connection, mine, face.c.photo_id, photo_ids)


def _photos_of(connection: sa.Connection, face_ids: Collection[UUID]) -> set[UUID]:
    photos = sa.select(face.c.photo_id)
    return {row.photo_id for row in fetch_in_chunks(connection, photos, face.c.id, face_ids)}


def _read_people(connection: sa.Connection, tenant: str, album_id: UUID) -> KnownPeople:
    root = person.alias("root")
    said_of = sa.or_(person.c.name.is_not(None), person.c.hidden, person.c.cover_spot_id.is_not(None))
    present = sa.select(person.c.id, person.c.root_id, said_of.label("is_held"))
    present = present.join(root, root.c.id == person.c.root_id).order_by(person.c.created_at, person.c.id)
    rows = connection.execute(present.where(person.c.tenant == tenant, root.c.gone_at.is_(None))).all()
    root_of = {row.id: row.root_id for row in rows}
    changes = sa.select(people_change.c.person_id, people_change.c.other_id)
    stands = changes.where(people_change.c.tenant == tenant, people_change.c.undone_at.is_(None))
    touched = {each for row in connection.execute(stands) for each in row if each}
    touched |= {row.id for row in rows if row.is_held}
    touched |= {root_of[each] for each in touched if each in root_of}
    said = sa.select(face_spot.c.face_id, not_person.c.person_id).join(
        face_spot, face_spot.c.id == not_person.c.spot_id
    )
    forbidden: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for row in connection.execute(said.where(face_spot.c.album_id == album_id, face_spot.c.face_id.is_not(None))):
        forbidden[row.face_id].add(root_of.get(row.person_id, row.person_id))
    held = {each for each, root_id in root_of.items() if each in touched or root_id in touched}
    return KnownPeople(held, root_of, forbidden)
