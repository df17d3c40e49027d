"""All rows of an album that go into a file, as they were at one moment."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.ledger.collection_schema import dropped_face
from facefleet.ledger.database import CHUNK, Database
from facefleet.ledger.people_schema import face_spot, not_person, person
from facefleet.ledger.schema import face, photo, state_is
from facefleet.ledger.spots import fetch_in_chunks
from facefleet.records import PhotoState, face_id_of

#: Numbers among which those of deleted faces are looked for; no photo has more faces.
_MOST_FACES = 1000


@dataclass(frozen=True)
class AlbumRows:
    """Opens albums for reading."""

    database: Database

    @contextmanager
    def snapshot(self, album_id: UUID, model_version: str) -> Iterator["AlbumSnapshot"]:
        """Read an album for as long as the block lasts; what changes meanwhile is not seen.

        Args:
            album_id: whose rows.
            model_version: only photos that were indexed with this one, and their faces.

        Raises:
            LedgerUnavailable: the database cannot be reached.
        """
        with self.database.snapshot() as connection:
            yield AlbumSnapshot(connection, album_id, model_version)


@dataclass(frozen=True)
class AlbumSnapshot:
    """Pages of rows; photos, and what is on them, come in the order of the photos' ids."""

    connection: sa.Connection
    album_id: UUID
    model_version: str

    def photos(self) -> Iterator[Sequence[sa.Row[Any]]]:
        """Walk indexed photos."""
        yield from self._walk(sa.select(photo).where(self._is_mine()).order_by(photo.c.id))

    def a_face(self) -> UUID | None:
        """Name one of their faces."""
        faces = sa.select(face.c.id).join(photo, photo.c.id == face.c.photo_id).where(self._is_mine())
        return self.connection.execute(faces.limit(1)).scalar_one_or_none()

    def faces(self) -> Iterator[Sequence[sa.Row[Any]]]:
        """Walk their faces."""
        faces = sa.select(face).join(photo, photo.c.id == face.c.photo_id).where(self._is_mine())
        yield from self._walk(faces.order_by(face.c.photo_id, face.c.number))

    def spots(self) -> Iterator[Sequence[sa.Row[Any]]]:
        """Walk the places of faces, with the photo that each is in."""
        spots = sa.select(face_spot, photo.c.id.label("photo_id"))
        spots = spots.join(photo, photo.c.source_id == face_spot.c.source_id).where(self._is_mine())
        yield from self._walk(spots.order_by(photo.c.id, face_spot.c.id))

    def not_people(self) -> Iterator[Sequence[sa.Row[Any]]]:
        """Walk what was said about whose face it is not."""
        said = sa.select(not_person).join(face_spot, face_spot.c.id == not_person.c.spot_id)
        said = said.join(photo, photo.c.source_id == face_spot.c.source_id).where(self._is_mine())
        yield from self._walk(said.order_by(not_person.c.spot_id, not_person.c.person_id))

    def dropped(self, photo_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[int]]:
        """Number the faces of photos that are not to be kept."""
        gone: defaultdict[UUID, set[UUID]] = defaultdict(set)
        rows = sa.select(dropped_face.c.photo_id, dropped_face.c.face_id)
        for row in fetch_in_chunks(self.connection, rows, dropped_face.c.photo_id, photo_ids):
            gone[row.photo_id].add(row.face_id)
        return {
            photo_id: [number for number in range(_MOST_FACES) if face_id_of(photo_id, number) in face_ids]
            for photo_id, face_ids in gone.items()
        }

    def people(self) -> list[sa.Row[Any]]:
        """List everybody who is on the photos, or of whom that was denied, and who they are after merges.

        Those who were deleted are left out.
        """
        spots = sa.select(face_spot.c.id, face_spot.c.person_id)
        mine = spots.join(photo, photo.c.source_id == face_spot.c.source_id).where(self._is_mine()).subquery()
        said = sa.select(not_person.c.person_id).join(mine, mine.c.id == not_person.c.spot_id)
        parts = sa.select(mine.c.person_id).where(mine.c.person_id.is_not(None)).union(said)
        roots = sa.select(person.c.root_id).where(person.c.id.in_(parts))
        root = person.alias("root")
        there = sa.select(person).join(root, root.c.id == person.c.root_id).where(root.c.gone_at.is_(None))
        concerned = sa.or_(person.c.id.in_(parts), person.c.id.in_(roots))
        return list(self.connection.execute(there.where(concerned).order_by(person.c.id)))

    def _is_mine(self) -> sa.ColumnElement[bool]:
        indexed = state_is(photo.c.state, PhotoState.INDEXED)
        return sa.and_(photo.c.album_id == self.album_id, photo.c.model_version == self.model_version, indexed)

    def _walk(self, statement: sa.Select[Any]) -> Iterator[Sequence[sa.Row[Any]]]:
        with self.connection.execute(statement.execution_options(yield_per=CHUNK)) as rows:
            yield from rows.partitions(CHUNK)
