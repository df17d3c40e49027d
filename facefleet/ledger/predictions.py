"""What classifiers said about new faces, as it is written and read."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.errors import PhotoNotFound
from facefleet.ledger.database import Database
from facefleet.ledger.faces import face_of, select_faces
from facefleet.ledger.people_schema import face_spot, not_person, person
from facefleet.ledger.prediction_schema import prediction, unpredicted_photo
from facefleet.ledger.schema import album, face, photo
from facefleet.ledger.spots import fetch_in_chunks
from facefleet.prediction_records import (
    Classifier,
    NewFace,
    NewPrediction,
    PhotoPredictions,
    Prediction,
    PredictionState,
)
from facefleet.records import Photo, PhotoState

_ROOT = person.alias("root")


@dataclass(frozen=True)
class Predictions:
    """Owned by the database; whoever predicts the same photo again replaces what was there."""

    database: Database

    def new_faces(self, photo_ids: Collection[UUID]) -> list[NewFace]:
        """List the faces of photos."""
        columns = (face.c.id, face.c.photo_id, face.c.album_id, album.c.tenant, photo.c.model_version)
        faces = sa.select(*columns).select_from(face).join(photo, photo.c.id == face.c.photo_id)
        faces = faces.join(album, album.c.id == face.c.album_id).where(album.c.deleting_since.is_(None))
        with self.database.reading() as connection:
            rows = fetch_in_chunks(connection, faces, face.c.photo_id, photo_ids)
            return [NewFace(row.id, row.photo_id, row.album_id, row.tenant, row.model_version) for row in rows]

    def settle(self, said: Sequence[NewPrediction], stamps: Mapping[UUID, UUID]) -> None:
        """Write what was said about photos, and strike them out; faces that went meanwhile are left out.

        Args:
            said: nothing about a face says that nobody is named any more.
            stamps: of the photos, as `PredictionOutbox.claim` returned them; those indexed anew meanwhile still wait.
        """
        with self.database.writing() as connection:
            mine = sa.select(face.c.id).where(face.c.id.in_({each.face_id for each in said})).order_by(face.c.id)
            present = set(connection.execute(mine.with_for_update(key_share=True, read=True)).scalars())
            connection.execute(prediction.delete().where(prediction.c.face_id.in_(present)))
            rows = [_row_of(each) for each in said if each.face_id in present]
            if rows:
                connection.execute(prediction.insert(), rows)
            key = sa.tuple_(unpredicted_photo.c.photo_id, unpredicted_photo.c.stamp)
            connection.execute(unpredicted_photo.delete().where(key.in_(sorted(stamps.items()))))

    def of_photo(self, shown: Photo, max_attempts: int) -> PhotoPredictions:
        """Read what was said about a photo.

        Args:
            shown: the photo, of an album that the caller sees.
            max_attempts: a photo that failed this often is not tried again.

        Raises:
            PhotoNotFound: the photo was deleted.
        """
        if shown.state is PhotoState.DELETED:
            raise PhotoNotFound("there is no such photo (any more)")
        attempt = sa.select(unpredicted_photo.c.attempt).where(unpredicted_photo.c.photo_id == shown.id)
        with self.database.reading() as connection:
            attempts = connection.execute(attempt).scalar_one_or_none()
            said = _read(connection, shown.id)
            faces = select_faces().where(face.c.photo_id == shown.id).order_by(face.c.number)
            found = tuple((face_of(row), tuple(said.get(row.id, ()))) for row in connection.execute(faces))
        return PhotoPredictions(_state_of(shown.state, attempts, max_attempts, is_done=bool(said)), found)


def _row_of(said: NewPrediction) -> dict[str, Any]:
    return {name: getattr(said, name) for name in NewPrediction.__dataclass_fields__}


def _read(connection: sa.Connection, photo_id: UUID) -> dict[UUID, list[Prediction]]:
    """Read predictions by face; whom a human ruled out, and who is gone or hidden, is nobody."""
    rejected = (
        sa.select(not_person.c.spot_id)
        .join(face_spot, face_spot.c.id == not_person.c.spot_id)
        .join(person, person.c.id == not_person.c.person_id)
        .where(face_spot.c.face_id == prediction.c.face_id, person.c.root_id == _ROOT.c.id)
    )
    is_shown = sa.and_(_ROOT.c.gone_at.is_(None), _ROOT.c.hidden.is_(False), _ROOT.c.name.is_not(None))
    asked = person.alias("asked")
    rows = (
        sa.select(prediction, _ROOT.c.id.label("root_id"), _ROOT.c.name)
        .join(face, face.c.id == prediction.c.face_id)
        .outerjoin(asked, asked.c.id == prediction.c.person_id)
        .outerjoin(_ROOT, sa.and_(_ROOT.c.id == asked.c.root_id, is_shown, ~rejected.exists()))
        .where(face.c.photo_id == photo_id)
    )
    order = {classifier: place for place, classifier in enumerate(Classifier)}
    said: dict[UUID, list[Prediction]] = {}
    for row in sorted(connection.execute(rows), key=lambda row: order[Classifier(row.classifier)]):
        values = (row.root_id, row.name, row.confidence, row.latency_ms, row.made_at)
        said.setdefault(row.face_id, []).append(Prediction(Classifier(row.classifier), *values))
    return said


def _state_of(state: PhotoState, attempts: int | None, max_attempts: int, *, is_done: bool) -> PredictionState:
    if state is PhotoState.DEAD:
        return PredictionState.FAILED
    if state is not PhotoState.INDEXED:
        return PredictionState.INDEXING
    if attempts is not None:
        return PredictionState.FAILED if attempts >= max_attempts else PredictionState.WAITING
    return PredictionState.DONE if is_done else PredictionState.NONE
