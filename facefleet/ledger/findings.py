"""What was found in photos becomes rows: in PostgreSQL, where each statement is a round trip, by a single one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.ledger.bulk import RowUpdate, given, insert_given, insert_rows
from facefleet.ledger.clock import utc_now
from facefleet.ledger.clusterings import build_mark_unseen, mark_unseen
from facefleet.ledger.prediction_outbox import SELECT_ALBUMS_WITH_NAMED
from facefleet.ledger.schema import face, photo
from facefleet.ledger.unkept import SELECT_DROPPED, SELECT_UNKEPT_SOURCES
from facefleet.records import PhotoState

#: What a photo is, once nobody holds it.
SETTLED: dict[str, Any] = {"lease_token": None, "lease_until": None, "finished_at": utc_now()}
_INDEX = RowUpdate(photo, state=PhotoState.INDEXED.value, reason=None, detail=None, **SETTLED)
#: Mostly there is none of it, which one statement says for less than three.
_RARE = sa.union_all(
    *(
        select.add_columns(sa.literal_column(f"'{kind}'", sa.Text).label("kind"))
        for kind, select in (
            ("dropped", SELECT_DROPPED),
            ("unkept", SELECT_UNKEPT_SOURCES),
            ("named", SELECT_ALBUMS_WITH_NAMED),
        )
    )
)


@cache
def _build_write(photo_names: tuple[str, ...]) -> sa.Select[Any]:
    """Build what PostgreSQL does at once: it asks what is rare, and writes unless a face was dropped."""
    rare = _RARE.cte("rare")
    is_clear = ~sa.select(rare.c.kind).where(rare.c.kind == sa.literal_column("'dropped'")).exists()
    indexed = _INDEX.build_together(photo_names, "photo_rows").where(is_clear)
    faces = insert_given(face, tuple(face.c.keys()), "face_rows", is_clear)
    unseen = build_mark_unseen("postgresql", "unseen_ids", is_clear)
    writes = (indexed.cte("indexed"), faces.cte("written"), unseen.cte("unseen"))
    return sa.select(rare).add_cte(*writes)


def write_unless_dropped(
    connection: sa.Connection,
    photos: Sequence[dict[str, Any]],
    faces: Sequence[dict[str, Any]],
    asked: Mapping[str, Sequence[UUID]],
) -> Mapping[str, set[UUID]]:
    """Write what was found, but nothing of it if any of the faces was dropped meanwhile.

    Args:
        connection: holds the locks of the photos, under which faces are dropped and places become unkept.
        photos: the columns of each that recognizing fills.
        faces: all columns of theirs.
        asked: ids of the photos, `photo_ids`, of their sources and their albums.

    Returns:
        What few photos have: ids of faces that were `dropped`, of sources with `unkept` places, of albums with people
        who are `named`.
    """
    rare: defaultdict[str, set[UUID]] = defaultdict(set)
    if connection.dialect.name == "sqlite":
        found = connection.execute(_RARE, asked).all()
        if not any(kind == "dropped" for _, kind in found):
            write(connection, photos, faces)
    else:
        rows = given(photos, "photo_rows") | given(faces, "face_rows")
        unseen = {"unseen_ids": {row["photo_id"] for row in faces}, "ids": asked["photo_ids"]}
        found = connection.execute(_build_write(tuple(photos[0])), {**asked, **rows, **unseen}).all()
    for found_id, kind in found:
        rare[kind].add(found_id)
    return rare


def write(connection: sa.Connection, photos: Sequence[dict[str, Any]], faces: Sequence[dict[str, Any]]) -> None:
    """Write what was found, as `write_unless_dropped` does when none was."""
    _INDEX.run(connection, photos)
    insert_rows(connection, face, faces)
    mark_unseen(connection, {row["photo_id"] for row in faces})
