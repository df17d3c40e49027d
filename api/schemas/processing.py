"""Images by address, and what is called back, on the wire."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from facefleet.face_records import RecognizedFace, RecognizedPhoto
from facefleet.ledger.callbacks import DeadCallback


class MediaRequest(BaseModel):
    """An image to look at."""

    model_config = ConfigDict(extra="forbid")

    job_id: str = Field(min_length=1, max_length=255)
    media_id: str = Field(min_length=1, max_length=255)
    event_id: str = Field(min_length=1, max_length=255)
    media_url: str = Field(min_length=1, max_length=4096, examples=["https://photos.example/1.jpg"])
    callback_url: str | None = Field(default=None, max_length=4096, description="Where the same answer is sent to.")


class FractionBox(BaseModel):
    """A box in fractions of the image."""

    x: float
    y: float
    width: float
    height: float


class MediaFace(BaseModel):
    """A face with its template."""

    bounding_box: FractionBox
    confidence: float = Field(description="0-1.")
    quality_score: float = Field(description="0-1.")
    landmarks: list[tuple[float, float]] = Field(description="Eyes, nose, mouth corners, in fractions of the image.")
    embedding: list[float] = Field(description="L2 norm 1; comparable within one model version.")

    @classmethod
    def of(cls, face: RecognizedFace, image: RecognizedPhoto) -> Self:
        """Show a face of an image."""
        box, width, height = face.detection.box, image.width_px, image.height_px
        return cls(
            bounding_box=FractionBox(x=box.x / width, y=box.y / height, width=box.w / width, height=box.h / height),
            confidence=face.detection.detection_score,
            quality_score=face.quality.overall,
            landmarks=[(float(x) / width, float(y) / height) for x, y in face.detection.landmarks],
            embedding=face.template.tolist(),
        )


class MediaFaces(BaseModel):
    """What was found in an image."""

    job_id: str
    media_id: str
    event_id: str
    model_version: str
    faces: list[MediaFace]


class DeadCallbackView(BaseModel):
    """A message that nobody took."""

    id: UUID
    url: str
    created_at: datetime
    attempts: int
    detail: str = Field(description="Why, for a person.")

    @classmethod
    def of(cls, dead: DeadCallback) -> Self:
        """Show a dead callback."""
        return cls(id=dead.id, url=dead.url, created_at=dead.created_at, attempts=dead.attempt, detail=dead.detail)


class DeadCallbackList(BaseModel):
    """Messages that were given up within the last two weeks, newest first."""

    callbacks: list[DeadCallbackView]
