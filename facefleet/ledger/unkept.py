"""Faces that are not to be kept because of their place in the photo: seen again, they are let go of again."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.face_records import Box, RecognizedPhoto
from facefleet.ledger.bulk import is_in
from facefleet.ledger.collection_schema import dropped_face
from facefleet.ledger.database import Database, insert_or_ignore
from facefleet.ledger.erasure_schema import doomed_face, unkept_place
from facefleet.ledger.listing import source_id_of
from facefleet.ledger.schema import album, face, photo
from facefleet.ledger.spots import FACE_PLACE, Placed, Spot, fetch_in_chunks, pair_spots
from facefleet.records import FinishedPhoto, face_id_of

SELECT_DROPPED = sa.select(dropped_face.c.face_id).where(is_in(dropped_face.c.photo_id, "photo_ids"))
SELECT_UNKEPT_SOURCES = sa.select(unkept_place.c.source_id).where(is_in(unkept_place.c.source_id, "source_ids"))
_CONCERNED = (
    sa.select(photo.c.id)
    .join(unkept_place, unkept_place.c.source_id == photo.c.source_id)
    .where(is_in(photo.c.id, "photo_ids"))
)
#: Whether anything of a photo is not to be kept: behind RETURNING, where SQLAlchemy leaves out tables of columns for
#: SQLite, so that those of the photo have to be written out.
HAS_UNKEPT = sa.or_(
    sa.select(dropped_face.c.face_id).where(dropped_face.c.photo_id == sa.literal_column("photo.id")).exists(),
    sa.select(unkept_place.c.id).where(unkept_place.c.source_id == sa.literal_column("photo.source_id")).exists(),
)


@dataclass(frozen=True, slots=True)
class DoomedPoint:
    """A face whose point has to go."""

    id: UUID
    photo_id: UUID
    album_id: UUID


@dataclass(frozen=True)
class Unkept:
    """What the ledger knows about places whose faces are not to be kept."""

    database: Database

    def faces(self, finished: Sequence[FinishedPhoto]) -> set[UUID]:
        """Name the faces of recognized photos that are at such places or were dropped, so that nobody writes them."""
        if not finished:
            return set()
        by_source = {source_id_of(each.leased.album_id, each.leased.store_uri): each for each in finished}
        with self.database.reading() as connection:
            dropped = dropped_of(connection, [each.leased.id for each in finished])
            concerned = set(connection.execute(SELECT_UNKEPT_SOURCES, {"source_ids": by_source}).scalars())
            placed = {each: place_faces(by_source[each].leased.id, by_source[each].recognized) for each in concerned}
            return dropped | find_unkept(connection, placed)


def dropped_of(connection: sa.Connection, photo_ids: Collection[UUID]) -> set[UUID]:
    """Name the faces of photos that were let go of one by one."""
    return set(connection.execute(SELECT_DROPPED, {"photo_ids": photo_ids}).scalars())


def place_faces(photo_id: UUID, recognized: RecognizedPhoto) -> list[Placed]:
    """Say where in a photo its faces are, in fractions."""
    boxes = (each.detection.box for each in recognized.faces)
    width, height = recognized.width_px, recognized.height_px
    return [
        Placed(face_id_of(photo_id, number), Box(box.x / width, box.y / height, box.w / width, box.h / height))
        for number, box in enumerate(boxes)
    ]


def find_unkept(connection: sa.Connection, faces: Mapping[UUID, Sequence[Placed]]) -> set[UUID]:
    """Name the faces that are at a place of which nothing is to be kept: {source id: faces of the photo}."""
    places: defaultdict[UUID, list[Spot]] = defaultdict(list)
    columns = [unkept_place.c[name] for name in ("id", "source_id", *"xywh")]
    for row in fetch_in_chunks(connection, sa.select(*columns), unkept_place.c.source_id, faces):
        box = Box(row.x, row.y, row.w, row.h)
        places[row.source_id].append(Spot(row.id, box, face_id=None, is_decided=True))
    pairs = (pair for source_id, spots in places.items() for pair in pair_spots(spots, faces[source_id]))
    return {face_id for _, face_id in pairs if face_id is not None}


def drop_unkept(connection: sa.Connection, photo_ids: Collection[UUID]) -> set[UUID]:
    """Remove faces that were just written at such places; the purger does their points. Returns which they were."""
    some = set(connection.execute(_CONCERNED, {"photo_ids": photo_ids}).scalars())
    if not some:
        return set()
    places = sa.select(*FACE_PLACE).join(photo, photo.c.id == face.c.photo_id)
    placed: defaultdict[UUID, list[Placed]] = defaultdict(list)
    for row in fetch_in_chunks(connection, places, face.c.photo_id, some):
        placed[row.source_id].append(Placed(row.id, Box(row.x, row.y, row.w, row.h)))
    unkept = find_unkept(connection, placed)
    remove_faces(connection, unkept)
    return unkept


def remove_faces(connection: sa.Connection, face_ids: Collection[UUID], **said: Any) -> set[UUID]:  # noqa: ANN401  columns
    """Remove the rows of faces, and remember that their points have to go.

    Args:
        connection: in a transaction that writes, and holds their photos.
        face_ids: any number.
        said: more columns of `doomed_face`.

    Returns:
        The photos they were on.
    """
    rows = fetch_in_chunks(connection, sa.select(face.c.id, face.c.photo_id, face.c.album_id), face.c.id, face_ids)
    if not rows:
        return set()
    doom_faces(connection, [DoomedPoint(row.id, row.photo_id, row.album_id) for row in rows], **said)
    connection.execute(face.delete().where(face.c.id == sa.bindparam("id_")), [{"id_": row.id} for row in rows])
    photo_ids = {row.photo_id for row in rows}
    left = sa.select(sa.func.count()).select_from(face).where(face.c.photo_id == photo.c.id).scalar_subquery()
    count = photo.update().where(photo.c.id == sa.bindparam("id_")).values(face_count=left)
    connection.execute(count, [{"id_": photo_id} for photo_id in sorted(photo_ids)])
    return photo_ids


def doom_faces(connection: sa.Connection, points: Sequence[DoomedPoint], **said: Any) -> None:  # noqa: ANN401  columns
    """Remember that points have to go; `said` are more columns of `doomed_face`."""
    if not points:
        return
    owners = sa.select(album.c.id, album.c.tenant)
    albums = fetch_in_chunks(connection, owners, album.c.id, {each.album_id for each in points})
    tenants = {row.id: row.tenant for row in albums}
    rows = [
        {"face_id": each.id, "photo_id": each.photo_id, "album_id": each.album_id, "tenant": tenants[each.album_id]}
        for each in points
    ]
    connection.execute(insert_or_ignore(connection, doomed_face), [row | said for row in rows])


def lift_unkept(connection: sa.Connection, source_id: UUID) -> None:
    """Keep faces of a photo again: its sender knows what they do."""
    connection.execute(unkept_place.delete().where(unkept_place.c.source_id == source_id))
