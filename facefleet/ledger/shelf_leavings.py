"""What lies on the shelf and belongs to nothing any more: deleted photos and faces are deleted there as well."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.ledger.database import Database, insert_or_ignore
from facefleet.ledger.schema import face, photo, state_is
from facefleet.ledger.shelf import IS_LIVE
from facefleet.ledger.shelf_schema import ShelvedState, shelved_drop, shelved_face, shelved_photo
from facefleet.records import PhotoState


@dataclass(frozen=True)
class ShelfLeavings:
    """Names rows whose points go first, and then removes them; twice is once."""

    database: Database

    def photos(self, limit: int) -> list[tuple[UUID, UUID]]:
        """List (album, shelved photo) whose photo is gone or has another version."""
        live = sa.select(photo.c.id).where(photo.c.id == shelved_photo.c.counterpart_id, ~_is_deleted())
        return self._list(sa.select(shelved_photo.c.album_id, shelved_photo.c.id).where(~live.exists()).limit(limit))

    def faces(self, limit: int) -> list[tuple[UUID, UUID]]:
        """List (album, shelved face) whose face was deleted, of photos that are indexed."""
        live = sa.select(face.c.id).where(face.c.id == shelved_face.c.counterpart_id)
        statement = sa.select(shelved_face.c.album_id, shelved_face.c.id)
        statement = statement.join(shelved_photo, shelved_photo.c.id == shelved_face.c.photo_id)
        statement = statement.join(photo, photo.c.id == shelved_photo.c.counterpart_id)
        gone = sa.and_(IS_LIVE, shelved_face.c.counterpart_id.is_not(None), ~live.exists())
        return self._list(statement.where(gone).limit(limit))

    def all_photos(self, limit: int) -> list[tuple[UUID, UUID]]:
        """List (album, shelved photo) of everything on the shelf."""
        return self._list(sa.select(shelved_photo.c.album_id, shelved_photo.c.id).limit(limit))

    def of_version(self, model_version: str) -> dict[UUID, set[UUID]]:
        """Name the points of ready photos by album that the gallery should have of a version: {album: shelved faces}.

        Only of one version that was not switched to yet: live ones are not counted.
        """
        ready = shelved_photo.c.state == ShelvedState.READY.value
        statement = sa.select(shelved_face.c.album_id, shelved_face.c.id)
        statement = statement.join(shelved_photo, shelved_photo.c.id == shelved_face.c.photo_id)
        found: dict[UUID, set[UUID]] = {}
        for album_id, face_id in self._list(statement.where(ready, shelved_photo.c.model_version == model_version)):
            found.setdefault(album_id, set()).add(face_id)
        return found

    def photos_of(self, face_ids: Sequence[UUID]) -> set[UUID]:
        """Name the shelved photos of shelved faces."""
        with self.database.reading() as connection:
            statement = sa.select(shelved_face.c.photo_id).where(shelved_face.c.id.in_(face_ids))
            return set(connection.execute(statement).scalars())

    def remove_photos(self, ids: Sequence[UUID]) -> None:
        """Remove shelved photos with their faces."""
        with self.database.writing() as connection:
            connection.execute(shelved_photo.delete().where(shelved_photo.c.id.in_(ids)))

    def remove_faces(self, ids: Sequence[UUID]) -> None:
        """Remove shelved faces, and remember that they are not to be kept."""
        gone = sa.select(shelved_face.c.id, shelved_face.c.photo_id).where(shelved_face.c.id.in_(ids))
        with self.database.writing() as connection:
            drop = insert_or_ignore(connection, shelved_drop)
            connection.execute(drop.from_select(["face_id", "photo_id"], gone))
            connection.execute(shelved_face.delete().where(shelved_face.c.id.in_(ids)))

    def _list(self, statement: sa.Select[Any]) -> list[tuple[UUID, UUID]]:
        with self.database.reading() as connection:
            return [(row[0], row[1]) for row in connection.execute(statement)]


def _is_deleted() -> sa.ColumnElement[bool]:
    return state_is(photo.c.state, PhotoState.DELETED)
