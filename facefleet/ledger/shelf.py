"""Photos on their way to another model: claimed, seen with it, and put on the shelf until everything is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.face_records import Box, RecognizedPhoto
from facefleet.ledger.clock import fresh_token, seconds_from_now, utc_now
from facefleet.ledger.collection_schema import dropped_face
from facefleet.ledger.database import CHUNK, Database, insert_or_ignore
from facefleet.ledger.listing import source_id_of
from facefleet.ledger.schema import album, face, photo, state_is
from facefleet.ledger.settling import face_row
from facefleet.ledger.shelf_schema import ShelvedState, model_switch, shelved_drop, shelved_face, shelved_photo
from facefleet.ledger.spots import Placed, Spot, pair_spots
from facefleet.ledger.unkept import DoomedPoint, doom_faces, find_unkept, place_faces
from facefleet.records import PhotoState, photo_id_of

_DETAIL_MAX_CHARS = 2000
IS_LIVE = state_is(photo.c.state, PhotoState.INDEXED)


@dataclass(frozen=True, slots=True)
class ShelfLease:
    """A photo that this process sees with another model until the lease ends."""

    #: As the other model's photo.
    id: UUID
    #: As everybody's photo.
    counterpart_id: UUID
    album_id: UUID
    name: str
    store_uri: str
    version: str
    token: UUID


@dataclass(frozen=True, slots=True)
class ShelfCount:
    """How far a migration is."""

    #: Indexed photos that are to be seen with the other model.
    photos: int
    albums: int
    ready: int
    #: Could not be read, or not be decoded, any more.
    failed: int
    #: Pending and leased ones: they are not looked at yet.
    not_indexed: int
    #: Faces of ready photos as they are now, and how many of these the other model sees too.
    faces: int
    faces_found: int
    #: Of these, faces of which a human said whose they are.
    decided: int
    decided_found: int

    @property
    def left(self) -> int:
        """Photos that are still to be seen."""
        return self.photos - self.ready - self.failed


@dataclass(frozen=True, slots=True)
class ModelSwitch:
    """The model that an installation works with since a migration, and the one before."""

    from_version: str
    from_pack: str
    to_version: str
    to_pack: str


@dataclass(frozen=True)
class Shelf:
    """Rows of another model version beside the live ones. Twice is once; any number of processes share the work."""

    database: Database

    def current(self) -> ModelSwitch | None:
        """Say what the last migration switched to; None: there was none."""
        columns = [model_switch.c[name] for name in ModelSwitch.__dataclass_fields__]
        newest = sa.select(*columns).order_by(model_switch.c.number.desc()).limit(1)
        with self.database.reading() as connection:
            row = connection.execute(newest).one_or_none()
        return None if row is None else ModelSwitch(*row)

    def claim(self, model_version: str, limit: int, lease_s: float) -> list[ShelfLease]:
        """Take photos that nobody has seen with this version yet, or whose lease ran out.

        Args:
            model_version: of the other model.
            limit: at most this many; fewer do not mean that none are left.
            lease_s: seconds until they are given up.
        """
        seen = sa.select(shelved_photo.c.id).where(
            shelved_photo.c.counterpart_id == photo.c.id, shelved_photo.c.model_version == model_version
        )
        columns = (photo.c.id, photo.c.album_id, photo.c.name, photo.c.store_uri, photo.c.version)
        waiting = sa.select(*columns).where(is_to_migrate(model_version)).limit(limit)
        lost = waiting.join(shelved_photo, shelved_photo.c.counterpart_id == photo.c.id).where(*_is_lost(model_version))
        with self.database.writing() as connection:
            rows = [*connection.execute(waiting.where(~seen.exists())), *connection.execute(lost)]
            ids = {photo_id_of(row.album_id, row.store_uri, row.version, model_version): row for row in rows}
            tokens = self._take(connection, model_version, ids, lease_s)
        return [
            ShelfLease(each, row.id, row.album_id, row.name, row.store_uri, row.version, tokens[each])
            for each, row in ids.items()
            if each in tokens
        ]

    def finish(self, lease: ShelfLease, recognized: RecognizedPhoto) -> bool:
        """Put a photo on the shelf with its faces; returns whether it was still the caller's.

        Of a photo from which faces were deleted, only faces are kept that are at the place of one that is left: which
        the deleted ones were cannot be told.
        """
        with self.database.writing() as connection:
            found = {
                "state": ShelvedState.READY.value,
                "lease_token": None,
                "width_px": recognized.width_px,
                "height_px": recognized.height_px,
            }
            if not connection.execute(shelved_photo.update().where(*_is_held(lease)).values(**found)).rowcount:
                return False
            rows = [face_row(lease.album_id, lease.id, n, each) for n, each in enumerate(recognized.faces)]
            counterparts = _find_counterparts(connection, lease.counterpart_id, rows)
            mine = sa.select(dropped_face.c.face_id).where(dropped_face.c.photo_id == lease.counterpart_id)
            has_drops = connection.execute(mine.limit(1)).one_or_none() is not None
            kept = [row | {"counterpart_id": counterparts.get(row["id"])} for row in rows]
            drops = [row["id"] for row in kept if has_drops and row["counterpart_id"] is None]
            unkept = self._drop_unkept(connection, lease, recognized)
            kept = [row for row in kept if row["id"] not in drops and row["id"] not in unkept]
            if kept:
                connection.execute(shelved_face.insert(), kept)
            if drops:
                connection.execute(shelved_drop.insert(), [{"face_id": each, "photo_id": lease.id} for each in drops])
        return True

    def _drop_unkept(self, connection: sa.Connection, lease: ShelfLease, recognized: RecognizedPhoto) -> set[UUID]:
        """Name the faces at places of which nothing is to be kept; the purger does their points."""
        source_id = source_id_of(lease.album_id, lease.store_uri)
        unkept = find_unkept(connection, {source_id: place_faces(lease.id, recognized)})
        doom_faces(connection, [DoomedPoint(each, lease.id, lease.album_id) for each in sorted(unkept)])
        return unkept

    def fail(self, lease: ShelfLease, detail: str) -> None:
        """Say why a photo cannot be seen with the other model, for a person."""
        failed = {"state": ShelvedState.FAILED.value, "lease_token": None, "detail": detail[:_DETAIL_MAX_CHARS]}
        with self.database.writing() as connection:
            connection.execute(shelved_photo.update().where(*_is_held(lease)).values(**failed))

    def release(self, leases: Sequence[ShelfLease]) -> None:
        """Give photos back at once."""
        with self.database.writing() as connection:
            for lease in leases:
                connection.execute(shelved_photo.delete().where(*_is_held(lease)))

    def forget_failed(self, model_version: str) -> None:
        """Have photos tried again that failed."""
        failed = shelved_photo.c.state == ShelvedState.FAILED.value
        with self.database.writing() as connection:
            connection.execute(shelved_photo.delete().where(failed, shelved_photo.c.model_version == model_version))

    def redo(self, shelved_ids: Sequence[UUID]) -> None:
        """Have photos seen again whose points are not in the gallery."""
        with self.database.writing() as connection:
            for start in range(0, len(shelved_ids), CHUNK):
                some = shelved_photo.c.id.in_(shelved_ids[start : start + CHUNK])
                connection.execute(shelved_photo.delete().where(some))

    def failures(self, model_version: str, limit: int) -> list[tuple[str, str]]:
        """List photos that failed, and why."""
        failed = shelved_photo.c.state == ShelvedState.FAILED.value
        pairs = shelved_photo.join(photo, photo.c.id == shelved_photo.c.counterpart_id)
        statement = sa.select(photo.c.name, shelved_photo.c.detail).select_from(pairs)
        with self.database.reading() as connection:
            rows = connection.execute(
                statement.where(failed, shelved_photo.c.model_version == model_version).limit(limit)
            )
            return [(row.name, row.detail) for row in rows]

    def pairs(self, model_version: str, limit: int) -> list[tuple[UUID, UUID, UUID]]:
        """Draw faces that both models see: (album, live face, shelved face), by ids, which are as good as drawn."""
        columns = (shelved_face.c.album_id, shelved_face.c.counterpart_id, shelved_face.c.id)
        statement = sa.select(*columns).join(shelved_photo, shelved_photo.c.id == shelved_face.c.photo_id)
        mine = (shelved_photo.c.model_version == model_version, shelved_face.c.counterpart_id.is_not(None))
        with self.database.reading() as connection:
            rows = connection.execute(statement.where(*mine).order_by(shelved_face.c.id).limit(limit))
            return [(row[0], row[1], row[2]) for row in rows]

    def counterpart_of(self, model_version: str, face_id: UUID) -> UUID | None:
        """Name the shelved face at the place of a live one; None: the other model does not see it."""
        statement = sa.select(shelved_face.c.id).join(shelved_photo, shelved_photo.c.id == shelved_face.c.photo_id)
        mine = (shelved_photo.c.model_version == model_version, shelved_face.c.counterpart_id == face_id)
        with self.database.reading() as connection:
            return connection.execute(statement.where(*mine)).scalar_one_or_none()

    def _take(
        self, connection: sa.Connection, model_version: str, ids: dict[UUID, Any], lease_s: float
    ) -> dict[UUID, UUID]:
        """Enter or renew the claims; returns the tokens of those that are the caller's."""
        if not ids:
            return {}
        lease = {"lease_token": fresh_token(), "lease_until": seconds_from_now(lease_s)}
        mine = {"state": ShelvedState.LEASED.value, "model_version": model_version}
        rows = [{"id": each, "album_id": row.album_id, "counterpart_id": row.id} for each, row in sorted(ids.items())]
        taken = insert_or_ignore(connection, shelved_photo).values(**mine, **lease)
        returned = (shelved_photo.c.id, shelved_photo.c.lease_token)
        found = list(connection.execute(taken.returning(*returned), rows))
        again = (
            shelved_photo.update().where(shelved_photo.c.id.in_(list(ids)), *_is_lost(model_version)).values(**lease)
        )
        found += connection.execute(again.returning(*returned))
        return {row.id: row.lease_token for row in found}


def is_to_migrate(model_version: str) -> sa.ColumnElement[bool]:
    """Select live photos of other versions, but for those of albums that are being deleted."""
    there = sa.select(album.c.id).where(album.c.id == photo.c.album_id, album.c.deleting_since.is_(None)).exists()
    return sa.and_(IS_LIVE, photo.c.model_version != model_version, there)


def _is_lost(model_version: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        shelved_photo.c.model_version == model_version,
        shelved_photo.c.state == ShelvedState.LEASED.value,
        shelved_photo.c.lease_until <= utc_now(),
    )


def _is_held(lease: ShelfLease) -> tuple[sa.ColumnElement[bool], ...]:
    leased = shelved_photo.c.state == ShelvedState.LEASED.value
    return shelved_photo.c.id == lease.id, shelved_photo.c.lease_token == lease.token, leased


def _find_counterparts(connection: sa.Connection, photo_id: UUID, rows: Sequence[dict[str, Any]]) -> dict[UUID, UUID]:
    """Pair the new faces of a photo with its live ones, by place: {new: live}."""
    columns = sa.select(face.c.id, *(face.c[side] for side in "xywh")).where(face.c.photo_id == photo_id)
    live = [Spot(row.id, Box(row.x, row.y, row.w, row.h), None, False) for row in connection.execute(columns)]  # noqa: FBT003  a field
    new = [Placed(row["id"], Box(*(row[side] for side in "xywh"))) for row in rows]
    return {found: spot.id for spot, found in pair_spots(live, new) if found is not None}
