"""What the reconciler asks and mends: photos whose object vanished, and those whose points are not in the gallery."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.ledger.clock import UtcTime, utc_now
from facefleet.ledger.database import CHUNK, Database
from facefleet.ledger.listing import FRESH, delete_photos
from facefleet.ledger.schema import album, face, photo, state_is
from facefleet.records import Album, PhotoState

_IS_PRESENT = state_is(photo.c.state, *(state for state in PhotoState if state != PhotoState.DELETED))
_IS_INDEXED = state_is(photo.c.state, PhotoState.INDEXED)


@dataclass(frozen=True)
class Repairs:
    """Comparisons of the ledger with what lies outside of it."""

    database: Database

    def now(self) -> datetime:
        """Read the database's clock."""
        with self.database.reading() as connection:
            return connection.execute(sa.select(utc_now())).scalar_one()

    def albums(self) -> list[Album]:
        """List every album that is not being deleted, of all tenants."""
        columns = [album.c[field] for field in Album.__dataclass_fields__]
        with self.database.reading() as connection:
            present = connection.execute(sa.select(*columns).where(album.c.deleting_since.is_(None)))
            return [Album(*row) for row in present]

    def delete_vanished(self, album_id: UUID, below: str, present: AbstractSet[str], before: datetime) -> int:
        """Delete an album's photos that a complete listing did not show. Twice is once.

        Args:
            album_id: whose photos.
            below: what their URIs begin with; photos from elsewhere are left alone.
            present: URIs that the listing showed.
            before: when the listing began, by the database's clock: what was entered later cannot be in it.

        Returns:
            How many were deleted.
        """
        is_below = photo.c.store_uri.startswith(below, autoescape=True)
        mine = sa.and_(photo.c.album_id == album_id, _IS_PRESENT, is_below)
        entered_before = photo.c.listed_at < sa.literal(before, UtcTime())
        deleted, last = 0, UUID(int=0)
        while True:
            with self.database.writing() as connection:
                page = sa.select(photo.c.id, photo.c.store_uri).where(mine, entered_before, photo.c.id > last)
                rows: Sequence[Any] = connection.execute(page.order_by(photo.c.id).limit(CHUNK)).all()
                gone = [row.id for row in rows if row.store_uri not in present]
                delete_photos(connection, gone)
            deleted += len(gone)
            if len(rows) < CHUNK:
                return deleted
            last = rows[-1].id

    def count_faces(self, album_id: UUID, model_version: str) -> int:
        """Count the points that an album should have in the gallery."""
        faces = sa.func.coalesce(sa.func.sum(photo.c.face_count), 0)
        with self.database.reading() as connection:
            return int(connection.execute(sa.select(faces).where(*_indexed_by(album_id, model_version))).scalar_one())

    def face_ids(self, album_id: UUID, model_version: str) -> dict[UUID, set[UUID]]:
        """Name the points that each indexed photo with faces should have in the gallery."""
        faces = sa.select(face.c.photo_id, face.c.id).join(photo).where(*_indexed_by(album_id, model_version))
        expected: defaultdict[UUID, set[UUID]] = defaultdict(set)
        with self.database.reading() as connection:
            for row in connection.execute(faces):
                expected[row.photo_id].add(row.id)
        return dict(expected)

    def reindex(self, photo_ids: Collection[UUID]) -> int:
        """Make indexed photos pending, as if never tried; returns how many."""
        ids, again = list(photo_ids), 0
        for start in range(0, len(ids), CHUNK):
            mine = photo.update().where(photo.c.id.in_(ids[start : start + CHUNK]), _IS_INDEXED)
            with self.database.writing() as connection:
                again += connection.execute(mine.values(**FRESH)).rowcount
        return again


def _indexed_by(album_id: UUID, model_version: str) -> tuple[sa.ColumnElement[bool], ...]:
    return photo.c.album_id == album_id, photo.c.model_version == model_version, _IS_INDEXED
