"""The faces of a person who is being purged: what the models have seen of them, live and on the shelf."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from facefleet.face_records import Box
from facefleet.ledger.collection_schema import user_face
from facefleet.ledger.database import CHUNK
from facefleet.ledger.erasure_schema import unkept_place
from facefleet.ledger.people_schema import face_spot
from facefleet.ledger.schema import photo
from facefleet.ledger.shelf_schema import shelved_face, shelved_photo
from facefleet.ledger.spots import Placed, fetch_in_chunks, relink
from facefleet.ledger.unkept import DoomedPoint, doom_faces, find_unkept

#: A shelved face with its place in its photo.
_SHELVED = (
    sa.select(
        shelved_face.c.id,
        shelved_face.c.album_id,
        shelved_face.c.photo_id,
        shelved_face.c.counterpart_id,
        shelved_photo.c.model_version,
        photo.c.source_id,
        (shelved_face.c.x / shelved_photo.c.width_px).label("x"),
        (shelved_face.c.y / shelved_photo.c.height_px).label("y"),
        (shelved_face.c.w / shelved_photo.c.width_px).label("w"),
        (shelved_face.c.h / shelved_photo.c.height_px).label("h"),
    )
    .join(shelved_photo, shelved_photo.c.id == shelved_face.c.photo_id)
    .join(photo, photo.c.id == shelved_photo.c.counterpart_id)
)


@dataclass(frozen=True)
class PersonFaces:
    """Works within the transaction of its connection."""

    connection: sa.Connection
    person_id: UUID
    #: Rows of `face_spot`.
    spots: Sequence[sa.Row[Any]]

    def lock(self) -> None:
        """Let nobody finish, nor shelve, photos with them until the transaction ends."""
        photos = sa.select(photo.c.id).order_by(photo.c.id).with_for_update()
        shelved = sa.select(shelved_photo.c.id).join(photo, photo.c.id == shelved_photo.c.counterpart_id)
        shelved = shelved.order_by(shelved_photo.c.id).with_for_update(of=shelved_photo)
        for some in self._pages(self._source_ids()):
            for rows in (photos, shelved):
                self.connection.execute(rows.where(photo.c.source_id.in_(some))).all()

    def enter_places(self) -> None:
        """Remember that nothing is to be kept where they are."""
        columns = ("album_id", "source_id", *"xywh")
        places = [{"id": uuid4(), **{name: getattr(spot, name) for name in columns}} for spot in self.spots]
        if places:
            self.connection.execute(unkept_place.insert(), places)

    def find_live(self) -> set[UUID]:
        """Name those that are live, after every spot has found its face: photos may just have been indexed anew."""
        versions = sa.select(photo.c.model_version).distinct()
        found = fetch_in_chunks(self.connection, versions, photo.c.source_id, self._source_ids())
        for version in sorted({row.model_version for row in found}):
            relink(self.connection, version, self._source_ids())
        now = sa.select(face_spot.c.face_id).where(face_spot.c.face_id.is_not(None))
        ids = [spot.id for spot in self.spots]
        return {row.face_id for row in fetch_in_chunks(self.connection, now, face_spot.c.id, ids)}

    def leave_users(self, live: Collection[UUID]) -> None:
        """Take them from the users of collections."""
        for some in self._pages(live):
            self.connection.execute(user_face.delete().where(user_face.c.face_id.in_(some)))

    def clear_shelf(self, live: Collection[UUID]) -> None:
        """Remove them as other models saw them: counterparts, and what only another model saw at their places."""
        rows = fetch_in_chunks(self.connection, _SHELVED, photo.c.source_id, self._source_ids())
        alone: defaultdict[str, defaultdict[UUID, list[Placed]]] = defaultdict(lambda: defaultdict(list))
        for row in rows:
            if row.counterpart_id is None:
                alone[row.model_version][row.source_id].append(Placed(row.id, Box(row.x, row.y, row.w, row.h)))
        unkept = {each for placed in alone.values() for each in find_unkept(self.connection, placed)}
        gone = {row.id: row for row in rows if row.counterpart_id in live or row.id in unkept}
        points = [DoomedPoint(each, row.photo_id, row.album_id) for each, row in gone.items()]
        doom_faces(self.connection, points, person_id=self.person_id)
        for some in self._pages(gone):
            self.connection.execute(shelved_face.delete().where(shelved_face.c.id.in_(some)))

    def _source_ids(self) -> set[UUID]:
        return {spot.source_id for spot in self.spots}

    def _pages(self, ids: Collection[UUID]) -> Iterator[list[UUID]]:
        ordered = sorted(ids)
        return (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))
