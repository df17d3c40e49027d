"""Faces of indexed photos: boxes, landmarks and quality. Their templates live in the gallery."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import sqlalchemy as sa

from facefleet.errors import InvalidRequest
from facefleet.face_records import Box, Quality
from facefleet.ledger.bulk import is_in
from facefleet.ledger.database import Database
from facefleet.ledger.schema import face, photo, row_state_is, state_is
from facefleet.ledger.shelf_schema import is_kept, shelved_face, shelved_photo
from facefleet.records import Face, PhotoState

#: Of a face, and three of its photo.
_COLUMNS = len(face.c) + 3
_ORDER = (photo.c.sort_name, photo.c.id, face.c.number)
_IS_INDEXED = state_is(photo.c.state, PhotoState.INDEXED)
#: For faces that are found by their ids.
ROW_IS_INDEXED = row_state_is(photo.c.state, PhotoState.INDEXED)


@dataclass(frozen=True)
class Faces:
    """What the ledger knows about faces. Those of deleted photos and albums are gone at once."""

    database: Database

    def of_photo(self, photo_id: UUID) -> list[Face]:
        """List the faces of one indexed photo, in the order in which they were found."""
        statement = select_faces().where(face.c.photo_id == photo_id).order_by(face.c.number)
        with self.database.reading() as connection:
            return [face_of(row) for row in connection.execute(statement)]

    def list(self, album_id: UUID, limit: int, after: str | None) -> list[Face]:
        """List one page of an album's faces, by the name of their photo.

        Args:
            album_id: whose faces.
            limit: at most this many.
            after: id of the last face of the page before; `None` for the first page.

        Raises:
            InvalidRequest: `after` is no face of this album (any more).
        """
        statement = select_faces().where(photo.c.album_id == album_id)
        with self.database.reading() as connection:
            if after is not None:
                last = _find_last(connection, album_id, after)
                # The first comparison is implied by the second, but only the first can use the index.
                from_photo = sa.tuple_(photo.c.sort_name, photo.c.id) >= sa.tuple_(*last[:2])
                statement = statement.where(from_photo, sa.tuple_(*_ORDER) > sa.tuple_(*last))
            return [face_of(row) for row in connection.execute(statement.order_by(*_ORDER).limit(limit))]

    def get_many(self, face_ids: Collection[UUID]) -> dict[UUID, Face]:
        """Find faces by id; those that are unknown or whose photo is not indexed (any more) are left out.

        A face that another model saw is found on the shelf, as what it is now: processes that still search with that
        model find people while a migration changes them one by one.
        """
        ids = list(face_ids)
        with self.database.reading() as connection:
            found = _get_some(connection, _SELECT_ASKED, ids)
            missing = [each for each in ids if each not in found]
            return found | _get_some(connection, _SELECT_SHELVED, missing)

    def count(self, album_id: UUID) -> int:
        """Count the faces of an album's indexed photos."""
        faces = sa.func.coalesce(sa.func.sum(photo.c.face_count), 0)
        indexed = sa.select(faces).where(photo.c.album_id == album_id, _IS_INDEXED)
        with self.database.reading() as connection:
            return int(connection.execute(indexed).scalar_one())


def select_shelved_faces() -> sa.Select[Any]:
    """Select shelved faces of photos that are indexed, with the ids of what stands for them now."""
    joined = shelved_face.join(shelved_photo, shelved_photo.c.id == shelved_face.c.photo_id)
    joined = joined.join(photo, photo.c.id == shelved_photo.c.counterpart_id)
    now = {
        "id": sa.func.coalesce(shelved_face.c.counterpart_id, shelved_face.c.id, type_=sa.Uuid).label("id"),
        "photo_id": photo.c.id.label("photo_id"),
    }
    columns = [now.get(column.name, shelved_face.c[column.name]) for column in face.c]
    return (
        sa.select(*columns, photo.c.name, photo.c.width_px, photo.c.height_px)
        .select_from(joined)
        .where(ROW_IS_INDEXED, is_kept())
    )


def _get_some(connection: sa.Connection, asked: sa.Select[Any], ids: list[UUID]) -> dict[UUID, Face]:
    """Find faces by the last column of a row."""
    rows = connection.execute(asked, {"asked_ids": ids}).all() if ids else []
    return {row[-1]: face_of(row) for row in rows}


def select_faces(is_indexed: sa.ColumnElement[bool] = _IS_INDEXED) -> sa.Select[Any]:
    """Select the faces of indexed photos, as `face_of` reads them."""
    return (
        sa.select(face, photo.c.name, photo.c.width_px, photo.c.height_px)
        .join(photo, photo.c.id == face.c.photo_id)
        .where(is_indexed)
    )


def _asked(statement: sa.Select[Any], column: sa.ColumnElement[UUID]) -> sa.Select[Any]:
    return statement.add_columns(column.label("asked_id")).where(is_in(column, "asked_ids"))


#: Built once: every search asks, and building them takes longer than running them.
_SELECT_ASKED = _asked(select_faces(ROW_IS_INDEXED), face.c.id)
_SELECT_SHELVED = _asked(select_shelved_faces(), shelved_face.c.id)


def _find_last(connection: sa.Connection, album_id: UUID, after: str) -> tuple[str, UUID, int]:
    try:
        last_id = UUID(after)
    except ValueError as error:
        raise InvalidRequest(f"{after!r} is not a face's id") from error
    keys = sa.select(*_ORDER).join(photo, photo.c.id == face.c.photo_id)
    row = connection.execute(keys.where(face.c.id == last_id, photo.c.album_id == album_id)).one_or_none()
    if row is None:
        raise InvalidRequest(f"face {after} is not in this album (any more); begin at the first page")
    return row[0], row[1], row[2]


def face_of(row: sa.Row[Any]) -> Face:
    """Read a row that begins with the columns of `select_faces`; by their places, as a search reads a hundred."""
    face_id, album_id, photo_id, _, x, y, w, h, landmarks, score, *rest = row[:_COLUMNS]
    *quality, name, width_px, height_px = rest
    return Face(
        id=face_id,
        album_id=album_id,
        photo_id=photo_id,
        photo_name=name,
        box=Box(x, y, w, h),
        landmarks=np.array(landmarks, dtype=np.float32).reshape(5, 2),
        detection_score=score,
        quality=Quality(*quality),
        photo_width_px=width_px,
        photo_height_px=height_px,
    )
