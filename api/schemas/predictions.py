"""Predictions on the wire."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from api.schemas.faces import Rectangle, fraction, rectangle
from facefleet.prediction_records import Classifier, PhotoPredictions, Prediction, PredictionState
from facefleet.records import Face


class PredictionView(BaseModel):
    """What one classifier said when the face was new."""

    classifier: Classifier
    person_id: UUID | None = Field(
        description="The likeliest named person; null below `FACEFLEET_PREDICTION_MIN_CONFIDENCE`, when they are "
        "hidden or gone, and when somebody said that it is not them."
    )
    name: str | None
    confidence: float = Field(
        description="0-1, in the likeliest person: how often such a prediction is right when every second face is "
        "somebody's who has a name."
    )
    latency_ms: float = Field(description="What the classifier took for this face.")
    made_at: datetime

    @classmethod
    def of(cls, said: Prediction, min_confidence: float) -> Self:
        """Show a prediction."""
        is_named = said.confidence >= min_confidence
        return cls(
            classifier=said.classifier,
            person_id=said.person_id if is_named else None,
            name=said.name if is_named else None,
            confidence=round(said.confidence, 4),
            latency_ms=round(said.latency_ms, 3),
            made_at=said.made_at,
        )


class PredictedFace(BaseModel):
    """A face and who it is likely to be."""

    face_id: UUID
    box: Rectangle
    box_fraction: Rectangle
    predictions: list[PredictionView] = Field(description="Of fast, balanced and accurate; empty: nothing was said.")

    @classmethod
    def of(cls, face: Face, said: tuple[Prediction, ...], min_confidence: float) -> Self:
        """Show a face."""
        return cls(
            face_id=face.id,
            box=rectangle(face.box),
            box_fraction=fraction(face.box, face.photo_width_px, face.photo_height_px),
            predictions=[PredictionView.of(each, min_confidence) for each in said],
        )


class PredictedFaces(BaseModel):
    """The faces of a photo; none while it is not indexed."""

    faces: list[PredictedFace]

    @staticmethod
    def list_faces(predictions: PhotoPredictions, min_confidence: float) -> list[PredictedFace]:
        """Show the faces in the order in which they were found."""
        return [PredictedFace.of(face, said, min_confidence) for face, said in predictions.faces]


_STATE = (
    "`indexing`, `waiting`, then `done` or `failed`; `none`: nobody had a name when the photo was indexed, or it has "
    "no face."
)


class PhotosToPredict(BaseModel):
    """What is to be predicted; workers do it in the background."""

    photos: int = Field(description="How many; 0 when nobody has a name, or every photo has predictions.")


class PhotoPredictionsView(PredictedFaces):
    """Who is on a photo, as the classifiers see it."""

    photo_id: UUID
    photo: str
    state: PredictionState = Field(description=_STATE)


class ImagePredictions(PredictedFaces):
    """Who is on an image that was uploaded."""

    image_id: UUID
    status: PredictionState = Field(description=_STATE)
