"""Images that were indexed while their sender waited, and single faces that come and go."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.face_records import RecognizedPhoto
from facefleet.ledger.bulk import is_in
from facefleet.ledger.clock import utc_now
from facefleet.ledger.clusterings import mark_unseen
from facefleet.ledger.collection_schema import dropped_face, external_image, user_face
from facefleet.ledger.database import Database, insert_or_ignore
from facefleet.ledger.jobs import ensure_job, hold_album, standing_job_id
from facefleet.ledger.listing import delete_photos, photo_row
from facefleet.ledger.prediction_outbox import mark_unpredicted
from facefleet.ledger.schema import face, photo
from facefleet.ledger.settling import face_row
from facefleet.ledger.unkept import dropped_of, lift_unkept
from facefleet.records import PhotoRef, PhotoState, face_id_of, photo_id_of

#: `source` of the one job of an album that its images belong to.
IMAGES_SOURCE = "images:"
_SETTLED: dict[str, Any] = {
    "state": PhotoState.INDEXED.value,
    "lease_token": None,
    "lease_until": None,
    "purged_at": None,
    "reason": None,
    "detail": None,
    "finished_at": utc_now(),
}


def _build_labels() -> sa.Select[Any]:
    labelled = face.outerjoin(external_image, external_image.c.photo_id == face.c.photo_id).outerjoin(
        user_face, user_face.c.face_id == face.c.id
    )
    said = sa.or_(external_image.c.external_id.is_not(None), user_face.c.user_id.is_not(None))
    columns = (face.c.id, external_image.c.external_id, user_face.c.user_id)
    return sa.select(*columns).select_from(labelled).where(is_in(face.c.id, "face_ids"), said)


#: Asked by every search for users: building it takes longer than running it.
_SELECT_LABELS = _build_labels()


@dataclass(frozen=True, slots=True)
class IndexedImage:
    """An image with what was found in it."""

    album_id: UUID
    ref: PhotoRef
    model_version: str
    recognized: RecognizedPhoto
    #: Which of its faces are to be kept, by their number.
    kept: frozenset[int]
    #: The sender's own name for it.
    external_id: str | None

    @property
    def photo_id(self) -> UUID:
        """The photo that it is from now on."""
        return photo_id_of(self.album_id, self.ref.uri, self.ref.version, self.model_version)


@dataclass(frozen=True, slots=True)
class FaceLabel:
    """What a caller said about a face."""

    external_image_id: str | None
    user_id: str | None


@dataclass(frozen=True)
class Images:
    """What the ledger knows about images that were sent one by one."""

    database: Database

    def store(self, image: IndexedImage) -> None:
        """Enter an image as an indexed photo. Twice is once, and faces that an earlier call kept stay.

        Raises:
            AlbumNotFound: the album is gone.
        """
        photo_id, faces = image.photo_id, image.recognized.faces
        row = photo_row(image.ref, image.album_id, image.model_version)
        with self.database.writing() as connection:
            hold_album(connection, image.album_id)
            job_id = ensure_job(connection, image.album_id, IMAGES_SOURCE)
            connection.execute(insert_or_ignore(connection, photo).values(job_id=job_id, **row))
            lift_unkept(connection, row["source_id"])
            kept = set(image.kept) | _kept_before(connection, photo_id)
            _replace_faces(connection, photo_id)
            rows = [face_row(image.album_id, photo_id, number, faces[number]) for number in sorted(kept)]
            dropped = [
                {"face_id": face_id_of(photo_id, number), "photo_id": photo_id}
                for number in range(len(faces))
                if number not in kept
            ]
            for table, new in ((face, rows), (dropped_face, dropped)):
                if new:
                    connection.execute(table.insert(), new)
            mark_unseen(connection, {photo_id} if rows else ())
            mark_unpredicted(connection, {photo_id} if rows else (), {image.album_id})
            seen = image.recognized
            said = {"width_px": seen.width_px, "height_px": seen.height_px, "taken_at": seen.taken_at}
            connection.execute(
                photo.update().where(photo.c.id == photo_id).values(face_count=len(kept), **said, **_SETTLED)
            )
            if image.external_id is not None:
                named = {"photo_id": photo_id, "external_id": image.external_id}
                connection.execute(insert_or_ignore(connection, external_image).values(named))

    def delete_faces(self, album_id: UUID, face_ids: Collection[UUID]) -> tuple[set[UUID], list[str]]:
        """Delete single faces, so that indexing their photo again does not bring them back.

        Args:
            album_id: faces of other albums are left alone.
            face_ids: at most a few thousand; those of a user are left alone too.

        Returns:
            The ids that were deleted, and the URIs of images that have no face left and are no photos any more.
        """
        mine = sa.select(face.c.id, face.c.photo_id).where(face.c.album_id == album_id, face.c.id.in_(face_ids))
        free = mine.where(face.c.id.not_in(sa.select(user_face.c.face_id).where(user_face.c.album_id == album_id)))
        with self.database.writing() as connection:
            rows = connection.execute(free).all()
            photo_ids = sorted({row.photo_id for row in rows})
            locked = sa.select(photo.c.id).where(photo.c.id.in_(photo_ids)).order_by(photo.c.id).with_for_update()
            connection.execute(locked)
            deleted = [row.id for row in rows]
            marks = [{"face_id": row.id, "photo_id": row.photo_id} for row in rows]
            if marks:
                connection.execute(insert_or_ignore(connection, dropped_face), marks)
                connection.execute(face.delete().where(face.c.id.in_(deleted)))
            _count_again(connection, photo_ids)
            return set(deleted), _delete_empty(connection, album_id, photo_ids)

    def dropped(self, photo_ids: Collection[UUID]) -> set[UUID]:
        """Name the faces of these photos that are not to be kept."""
        with self.database.reading() as connection:
            return dropped_of(connection, photo_ids)

    def labels(self, face_ids: Iterable[UUID]) -> dict[UUID, FaceLabel]:
        """Find what callers said about faces; those of which nothing was said are left out."""
        with self.database.reading() as connection:
            rows = connection.execute(_SELECT_LABELS, {"face_ids": list(face_ids)}).all()
        return {face_id: FaceLabel(external_id, user_id) for face_id, external_id, user_id in rows}


def _kept_before(connection: sa.Connection, photo_id: UUID) -> set[int]:
    """Number the faces that the photo has, and let nobody touch it until the transaction ends."""
    state = sa.select(photo.c.state).where(photo.c.id == photo_id).with_for_update()
    if connection.execute(state).scalar_one() != PhotoState.INDEXED:
        return set()
    return set(connection.execute(sa.select(face.c.number).where(face.c.photo_id == photo_id)).scalars())


def _replace_faces(connection: sa.Connection, photo_id: UUID) -> None:
    for table in (face, dropped_face):
        connection.execute(table.delete().where(table.c.photo_id == photo_id))


def _count_again(connection: sa.Connection, photo_ids: Collection[UUID]) -> None:
    faces = sa.select(sa.func.count()).select_from(face).where(face.c.photo_id == photo.c.id).scalar_subquery()
    connection.execute(photo.update().where(photo.c.id.in_(photo_ids)).values(face_count=faces))


def _delete_empty(connection: sa.Connection, album_id: UUID, photo_ids: Collection[UUID]) -> list[str]:
    """Delete images, not photos of an album's other sources, that have no face left; returns their URIs."""
    job_id = standing_job_id(album_id, IMAGES_SOURCE)
    empty = sa.select(photo.c.id, photo.c.store_uri).where(photo.c.id.in_(photo_ids), photo.c.job_id == job_id)
    rows = connection.execute(empty.where(photo.c.face_count == 0)).all()
    delete_photos(connection, [row.id for row in rows])
    return [row.store_uri for row in rows]
