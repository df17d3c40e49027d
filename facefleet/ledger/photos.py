"""Photos as the user sees them: lists, lookups, and a second chance for dead ones."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.errors import InvalidRequest
from facefleet.ledger.database import CHUNK, Database
from facefleet.ledger.listing import FRESH
from facefleet.ledger.schema import SORT_NAME_CHARS, photo, state_is
from facefleet.records import Photo, PhotoState

_COLUMNS = [photo.c[field] for field in Photo.__dataclass_fields__]
_IS_PRESENT = state_is(photo.c.state, *(state for state in PhotoState if state != PhotoState.DELETED))


@dataclass(frozen=True)
class Photos:
    """What the ledger knows about photos."""

    database: Database

    def list(
        self, album_id: UUID, state: PhotoState | None, limit: int, after: str | None, *, offset: int = 0
    ) -> list[Photo]:
        """List one page of an album's photos, by name.

        Args:
            album_id: whose photos.
            state: only those in this state; deleted ones are never shown.
            limit: at most this many.
            after: id of the last photo of the page before; `None` for the first page.
            offset: skips so many; `after` does not miss or repeat photos when others come and go, but cannot jump.

        Raises:
            InvalidRequest: `after` is no photo of this album.
        """
        statement = sa.select(*_COLUMNS).where(photo.c.album_id == album_id, _IS_PRESENT)
        if state is not None:
            statement = statement.where(state_is(photo.c.state, state))
        with self.database.reading() as connection:
            if after is not None:
                last = _find_last(connection, album_id, after)
                statement = statement.where(sa.tuple_(photo.c.sort_name, photo.c.id) > sa.tuple_(*last))
            page = statement.order_by(photo.c.sort_name, photo.c.id).limit(limit).offset(offset)
            return [_photo_of(row) for row in connection.execute(page)]

    def get_many(self, photo_ids: Collection[UUID]) -> dict[UUID, Photo]:
        """Find photos by id, in any state; ids that are unknown are left out."""
        ids = list(photo_ids)
        with self.database.reading() as connection:
            pages = (
                connection.execute(sa.select(*_COLUMNS).where(photo.c.id.in_(ids[start : start + CHUNK])))
                for start in range(0, len(ids), CHUNK)
            )
            return {row.id: _photo_of(row) for page in pages for row in page}

    def existing(self, photo_ids: Collection[UUID]) -> set[UUID]:
        """Choose the ids of photos that are in the ledger and not deleted."""
        found = self.get_many(photo_ids)
        return {photo_id for photo_id, each in found.items() if each.state != PhotoState.DELETED}

    def sizes_of(self, album_id: UUID, names: Collection[str]) -> set[tuple[str, int]]:
        """Find (name, size in bytes) of an album's photos of these names."""
        sort_names = [name[:SORT_NAME_CHARS] for name in names]
        of_album = sa.select(photo.c.name, photo.c.size_bytes).where(photo.c.album_id == album_id, _IS_PRESENT)
        with self.database.reading() as connection:
            pages = (
                connection.execute(of_album.where(photo.c.sort_name.in_(sort_names[start : start + CHUNK])))
                for start in range(0, len(sort_names), CHUNK)
            )
            return {(row.name, row.size_bytes) for page in pages for row in page}

    def retry_dead(self, album_id: UUID) -> int:
        """Make the dead photos of an album pending, as if never tried; returns how many."""
        dead = photo.update().where(photo.c.album_id == album_id, state_is(photo.c.state, PhotoState.DEAD))
        with self.database.writing() as connection:
            return connection.execute(dead.values(**FRESH)).rowcount


def _find_last(connection: sa.Connection, album_id: UUID, after: str) -> tuple[str, UUID]:
    try:
        last_id = UUID(after)
    except ValueError as error:
        raise InvalidRequest(f"{after!r} is not a photo's id") from error
    name = connection.execute(
        sa.select(photo.c.sort_name).where(photo.c.id == last_id, photo.c.album_id == album_id)
    ).scalar_one_or_none()
    if name is None:
        raise InvalidRequest(f"photo {after} is not in this album; begin at the first page")
    return name, last_id


def _photo_of(row: sa.Row[Any]) -> Photo:
    return Photo(**{**row._mapping, "state": PhotoState(row.state)})  # noqa: SLF001 - public in spite of its name
