"""What is said about who new faces are: frozen dataclasses that ledger, workers and API share."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from facefleet.records import Face


class Classifier(StrEnum):
    """Who predicts: from the cheapest to the most careful."""

    FAST = "fast"
    BALANCED = "balanced"
    ACCURATE = "accurate"


class PredictionState(StrEnum):
    """`indexing -> waiting -> done | failed`; `none`: nobody had a name when the photo was indexed, or has no face."""

    INDEXING = "indexing"
    WAITING = "waiting"
    DONE = "done"
    NONE = "none"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class NamedFace:
    """A face of somebody who has a name."""

    face_id: UUID
    album_id: UUID
    #: Who it is after all merges.
    person_id: UUID


@dataclass(frozen=True, slots=True)
class NewFace:
    """A face whose person is to be predicted."""

    id: UUID
    photo_id: UUID
    album_id: UUID
    tenant: str
    model_version: str


@dataclass(frozen=True, slots=True)
class NewPrediction:
    """What one classifier says about a face."""

    face_id: UUID
    classifier: Classifier
    person_id: UUID
    #: 0-1.
    confidence: float
    latency_ms: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one classifier said about a face."""

    classifier: Classifier
    #: Who the likeliest person is after all merges; None: who it was is gone or hidden, or a human said it is not them.
    person_id: UUID | None
    name: str | None
    #: 0-1.
    confidence: float
    latency_ms: float
    made_at: datetime


@dataclass(frozen=True, slots=True)
class PhotoPredictions:
    """What was said about the faces of a photo."""

    state: PredictionState
    #: In the order in which they were found; a face that nothing was said about has no predictions.
    faces: tuple[tuple[Face, tuple[Prediction, ...]], ...]
