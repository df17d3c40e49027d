"""Where faces are in photos: what decisions hold on to while faces and their ids come and go."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from facefleet.errors import FaceNotFound
from facefleet.face_records import Box
from facefleet.ledger.database import CHUNK, insert_or_ignore
from facefleet.ledger.jobs import hold_album
from facefleet.ledger.people_schema import face_spot
from facefleet.ledger.schema import album, face, photo, state_is
from facefleet.records import PhotoState

#: Two boxes of one photo that overlap by this much (intersection over union) are of one face.
_SAME_FACE_OVERLAP = 0.5

_SPOT_COLUMNS = (face_spot.c.id, face_spot.c.face_id, face_spot.c.source_id, face_spot.c.is_decided)
#: A face with its place; the sizes of an indexed photo are known.
FACE_PLACE = (
    face.c.id,
    face.c.album_id,
    photo.c.source_id,
    (face.c.x / photo.c.width_px).label("x"),
    (face.c.y / photo.c.height_px).label("y"),
    (face.c.w / photo.c.width_px).label("w"),
    (face.c.h / photo.c.height_px).label("h"),
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A face or a spot with its box in fractions of the photo."""

    id: UUID
    box: Box


@dataclass(frozen=True, slots=True)
class Spot(Placed):
    """A spot, and the face that was last seen there."""

    face_id: UUID | None
    is_decided: bool


def ensure_spots(connection: sa.Connection, tenant: str, face_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Find the spots of faces, and make those that are missing; their albums stay until the transaction ends.

    Returns:
        {face id: spot id}.

    Raises:
        FaceNotFound: one of them is no face of the tenant (any more).
    """
    mine = sa.select(*FACE_PLACE, photo.c.model_version)
    mine = mine.join(photo, photo.c.id == face.c.photo_id).join(album, album.c.id == face.c.album_id)
    mine = mine.where(album.c.tenant == tenant, album.c.deleting_since.is_(None))
    found = {row.id: row for row in fetch_in_chunks(connection, mine, face.c.id, face_ids)}
    if missing := [face_id for face_id in face_ids if face_id not in found]:
        raise FaceNotFound(f"there is no face {missing[0]} (any more)")
    for album_id in sorted({row.album_id for row in found.values()}):
        hold_album(connection, album_id)
    spots = find_spots(connection, face_ids)
    strangers = [row for face_id, row in found.items() if face_id not in spots]
    # Their photos may have been indexed anew: then what was decided about them before is found again first.
    for version in sorted({row.model_version for row in strangers}):
        relink(connection, version, {row.source_id for row in strangers if row.model_version == version})
    spots = find_spots(connection, face_ids)
    new = {face_id: uuid4() for face_id in found if face_id not in spots}
    if new:
        rows = [spot_row(found[face_id], spot_id) for face_id, spot_id in new.items()]
        connection.execute(insert_or_ignore(connection, face_spot), rows)
    return spots | new


def find_spots(connection: sa.Connection, face_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Name the spots of faces; faces without one are left out."""
    statement = sa.select(face_spot.c.face_id, face_spot.c.id)
    return {row.face_id: row.id for row in fetch_in_chunks(connection, statement, face_spot.c.face_id, face_ids)}


def spot_row(placed: Any, spot_id: UUID, person_id: UUID | None = None) -> dict[str, Any]:  # noqa: ANN401  a row
    """Name the columns of a new spot.

    Args:
        placed: a row with the columns of `FACE_PLACE`.
        spot_id: its id.
        person_id: whose face a grouping says it is.
    """
    return {
        "id": spot_id,
        "album_id": placed.album_id,
        "source_id": placed.source_id,
        "face_id": placed.id,
        **{side: getattr(placed, side) for side in "xywh"},
        "person_id": person_id,
        "is_decided": False,
    }


def relink(connection: sa.Connection, model_version: str, source_ids: Collection[UUID]) -> int:
    """Let spots find their faces again after photos were indexed anew: by their place, as ids may have changed.

    Args:
        connection: in a transaction that writes.
        model_version: faces of this version are looked at.
        source_ids: of the photos.

    Returns:
        How many spots have another face now, or none.
    """
    spots: defaultdict[UUID, list[Spot]] = defaultdict(list)
    known = sa.select(*_SPOT_COLUMNS, *(face_spot.c[side] for side in "xywh"))
    for row in fetch_in_chunks(connection, known, face_spot.c.source_id, source_ids):
        spots[row.source_id].append(Spot(row.id, Box(row.x, row.y, row.w, row.h), row.face_id, row.is_decided))
    indexed = sa.and_(photo.c.model_version == model_version, state_is(photo.c.state, PhotoState.INDEXED))
    faces = sa.select(*FACE_PLACE).join(photo, photo.c.id == face.c.photo_id).where(indexed)
    found: defaultdict[UUID, list[Placed]] = defaultdict(list)
    for row in fetch_in_chunks(connection, faces, photo.c.source_id, list(spots)):
        found[row.source_id].append(Placed(row.id, Box(row.x, row.y, row.w, row.h)))
    moved = [
        (spot, face_id)
        for source_id, placed in found.items()
        for spot, face_id in pair_spots(spots[source_id], placed)
        if spot.face_id != face_id
    ]
    _write_faces(connection, moved)
    return len(moved)


def pair_spots(spots: Sequence[Spot], faces: Sequence[Placed]) -> list[tuple[Spot, UUID | None]]:
    """Pair the spots of one photo with its faces, the best overlap first; each face goes to one spot at most."""
    overlaps = [
        (overlap, spot.face_id == placed.id, spot.is_decided, number, placed.id)
        for number, spot in enumerate(spots)
        for placed in faces
        if (overlap := overlap_of(spot.box, placed.box)) >= _SAME_FACE_OVERLAP
    ]
    face_of: dict[int, UUID] = {}
    taken: set[UUID] = set()
    for _, _, _, number, face_id in sorted(overlaps, reverse=True):
        if number not in face_of and face_id not in taken:
            face_of[number] = face_id
            taken.add(face_id)
    return [(spot, face_of.get(number)) for number, spot in enumerate(spots)]


def overlap_of(one: Box, other: Box) -> float:
    """Intersection over union of two boxes in the same units, 0-1."""
    width = min(one.x + one.w, other.x + other.w) - max(one.x, other.x)
    height = min(one.y + one.h, other.y + other.h) - max(one.y, other.y)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one.w * one.h + other.w * other.h - shared)


def fetch_in_chunks(
    connection: sa.Connection, statement: sa.Select[Any], column: sa.ColumnElement[UUID], ids: Iterable[UUID]
) -> list[sa.Row[Any]]:
    """Run a statement for any number of ids, each once."""
    distinct = sorted(set(ids))
    pages = (distinct[start : start + CHUNK] for start in range(0, len(distinct), CHUNK))
    return [row for page in pages for row in connection.execute(statement.where(column.in_(page)))]


def _write_faces(connection: sa.Connection, moved: Sequence[tuple[Spot, UUID | None]]) -> None:
    """First let go of all, then take: two spots may change places."""
    if not moved:
        return
    let_go = face_spot.update().where(face_spot.c.id == sa.bindparam("id_")).values(face_id=None)
    connection.execute(let_go, [{"id_": spot.id} for spot, _ in moved])
    found = [{"id_": spot.id, "face_id_": face_id} for spot, face_id in moved if face_id is not None]
    if found:
        # A spot of another photo may still name a face that is here now.
        taken = [row["face_id_"] for row in found]
        for start in range(0, len(taken), CHUNK):
            some = face_spot.c.face_id.in_(taken[start : start + CHUNK])
            connection.execute(face_spot.update().where(some).values(face_id=None))
        take = face_spot.update().where(face_spot.c.id == sa.bindparam("id_"))
        connection.execute(take.values(face_id=sa.bindparam("face_id_")), found)
