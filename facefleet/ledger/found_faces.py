"""Faces as searches and the lists of Rekognition show them: where they are, and what callers said about them.

A search reads hundreds of rows. These are a third of what `Faces` reads, and labels that come with them cost a fifth of
a second statement.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.face_records import Box
from facefleet.ledger.bulk import is_in
from facefleet.ledger.collection_schema import external_image, user_face
from facefleet.ledger.database import Database
from facefleet.ledger.faces import ROW_IS_INDEXED, select_faces, select_shelved_faces
from facefleet.ledger.schema import face, photo
from facefleet.ledger.shelf_schema import shelved_face
from facefleet.records import FoundFace

_SHOWN = ("id", "photo_id", "name", "width_px", "height_px", "detection_score", "x", "y", "w", "h")
#: Of a found face; whatever follows in a row is not shown.
_COLUMNS = len(_SHOWN) + 2


@dataclass(frozen=True)
class FoundFaces:
    """What the ledger shows of faces. Those of deleted photos and albums are gone at once."""

    database: Database

    def get_many(self, face_ids: Collection[UUID]) -> dict[UUID, FoundFace]:
        """Find faces by id; those that are unknown or whose photo is not indexed (any more) are left out.

        A face that another model saw is found on the shelf, as what it is now: processes that still search with that
        model find people while a migration changes them one by one.
        """
        ids = list(face_ids)
        with self.database.reading() as connection:
            rows = connection.execute(_SELECT_LIVE, {"asked_ids": ids}).all() if ids else []
            found = {row[0]: _found_face(row) for row in rows}
            missing = [each for each in ids if each not in found]
            shelved = connection.execute(_SELECT_SHELVED, {"asked_ids": missing}).all() if missing else []
            return found | {row[-1]: _found_face(row) for row in shelved}

    def walk(self, album_id: UUID, limit: int, after: UUID | None, only: Collection[UUID] | None) -> list[FoundFace]:
        """List one page of an album's faces by their ids: pages stay right whatever comes and goes in between.

        Args:
            album_id: whose faces.
            limit: at most this many.
            after: the page begins behind this id, whether there is such a face or not.
            only: of these faces; a few thousand at most.
        """
        statement = _LIVE.where(face.c.album_id == album_id)
        if after is not None:
            statement = statement.where(face.c.id > after)
        if only is not None:
            statement = statement.where(face.c.id.in_(only))
        with self.database.reading() as connection:
            return [_found_face(row) for row in connection.execute(statement.order_by(face.c.id).limit(limit))]


def _select_shown(faces: sa.Select[Any]) -> sa.Select[Any]:
    """Cut a statement about faces down to what is shown, and add what callers said."""
    columns = faces.selected_columns
    named = faces.outerjoin(external_image, external_image.c.photo_id == photo.c.id)
    labelled = named.outerjoin(user_face, user_face.c.face_id == columns["id"])
    shown = [columns[name] for name in _SHOWN]
    return labelled.with_only_columns(*shown, external_image.c.external_id, user_face.c.user_id)


#: Built once: every search asks, and building them takes longer than running them.
_LIVE = _select_shown(select_faces())
_SELECT_LIVE = _select_shown(select_faces(ROW_IS_INDEXED)).where(is_in(face.c.id, "asked_ids"))
_SELECT_SHELVED = (
    _select_shown(select_shelved_faces()).add_columns(shelved_face.c.id).where(is_in(shelved_face.c.id, "asked_ids"))
)


def _found_face(row: sa.Row[Any]) -> FoundFace:
    """Read a row by the places of its columns, as a search reads a hundred."""
    face_id, photo_id, name, width_px, height_px, score, x, y, w, h, external_id, user_id = row[:_COLUMNS]
    return FoundFace(face_id, photo_id, name, Box(x, y, w, h), score, width_px, height_px, external_id, user_id)
