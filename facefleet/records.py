"""What the parts of Facefleet hand to each other: frozen dataclasses and array types, arithmetic at most."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeAlias
from uuid import UUID, uuid5

from facefleet.face_records import Box, Landmarks, Quality, RecognizedFace, RecognizedPhoto, Template

#: Namespace of every deterministic id of the project.
ID_NAMESPACE = UUID("8f0f4a5e-6d0b-5a0c-9f5e-0fa5ef1ee700")

DEFAULT_TENANT = "default"


@dataclass(frozen=True, slots=True)
class PhotoRef:
    """One photo as a store lists it."""

    #: `file:///abs/path` (percent-encoded) or `s3://bucket/key`.
    uri: str
    #: What a person calls it: the path relative to the source, or the S3 key. Printable Unicode.
    name: str
    #: Changes whenever the bytes change: mtime and size, an ETag, an S3 version id, or, of an upload, their hash.
    version: str
    size_bytes: int


class PhotoState(StrEnum):
    """`pending -> leased -> indexed | dead | deleted`."""

    PENDING = "pending"
    LEASED = "leased"
    INDEXED = "indexed"
    DEAD = "dead"
    DELETED = "deleted"


class JobState(StrEnum):
    """`listing -> running -> done | failed`; failed means that the source could not be listed."""

    LISTING = "listing"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Album:
    """The user's photos; one Rekognition collection."""

    id: UUID
    tenant: str
    name: str
    created_at: datetime
    #: It is deleted after so many days without a search; None: it is kept.
    forget_after_days: int | None = None


@dataclass(frozen=True, slots=True)
class AlbumSummary:
    """An album with its counts."""

    album: Album
    #: Photos that are not deleted.
    photos: int
    indexed: int
    dead: int
    faces: int


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo's row in the ledger."""

    id: UUID
    album_id: UUID
    name: str
    store_uri: str
    version: str
    size_bytes: int
    model_version: str
    state: PhotoState
    #: Claims so far that were not given back by a dependency that was down.
    attempt: int
    #: Claims whose worker died.
    crash_count: int
    #: Why it is dead: an error's `reason`, and a sentence for a person.
    reason: str | None
    detail: str | None
    face_count: int | None
    width_px: int | None
    height_px: int | None
    #: When it was taken, by the camera's own clock, without a time zone; None: not known.
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LeasedPhoto:
    """A photo that this worker owns until the lease ends."""

    id: UUID
    album_id: UUID
    name: str
    store_uri: str
    version: str
    model_version: str
    attempt: int
    lease_token: UUID
    #: As listed.
    size_bytes: int
    #: Whether faces of it were not to be kept when it was claimed; finishing it sees to those that came later.
    has_unkept: bool = False


@dataclass(frozen=True, slots=True)
class FinishedPhoto:
    """A leased photo with what was found in it."""

    leased: LeasedPhoto
    recognized: RecognizedPhoto


@dataclass(frozen=True, slots=True)
class FailedPhoto:
    """A leased photo that no further attempt will save."""

    leased: LeasedPhoto
    #: An error's `reason`.
    reason: str
    #: A sentence for a person.
    detail: str


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What became of the photos whose lease ran out."""

    #: Pending again.
    requeued: int
    #: Given up after too many crashes.
    dead: int


@dataclass(frozen=True, slots=True)
class Face:
    """One face of an indexed photo, as the ledger keeps it (the template lives in the gallery)."""

    id: UUID
    album_id: UUID
    photo_id: UUID
    photo_name: str
    #: Pixels of the upright photo.
    box: Box
    landmarks: Landmarks
    detection_score: float
    quality: Quality
    photo_width_px: int
    photo_height_px: int


@dataclass(frozen=True, slots=True)
class Job:
    """One indexing run over one source."""

    id: UUID
    album_id: UUID
    album_name: str
    #: `file:///dir`, `s3://bucket/prefix`, `uploads:` for photos sent over HTTP, or `events:` for those of a bucket.
    source: str
    state: JobState
    #: Why it failed, for a person.
    detail: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class JobProgress:
    """Counts of one job, all by the database's clock."""

    job: Job
    photos: int
    indexed: int
    dead: int
    #: Pending or leased.
    waiting: int
    faces: int
    #: From the job's start to its last finished photo (to now while it runs).
    seconds: float

    @property
    def photos_per_second(self) -> float:
        """Finished photos over the job's seconds."""
        return (self.indexed + self.dead) / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class ObjectEvent:
    """What an S3 server says happened to one object."""

    album_name: str
    #: The object: `s3://bucket/key`.
    uri: str
    #: Orders the events of one object: hexadecimal digits, all of one length.
    sequencer: str
    #: What is there now; null: it was removed.
    created: PhotoRef | None


@dataclass(frozen=True, slots=True)
class RejectedEvent:
    """A message, or a part of one, that says nothing usable."""

    #: Stable snake_case word for machines.
    reason: str
    #: A sentence for a person.
    detail: str
    #: What was sent, cut to a bounded length.
    body: str


@dataclass(frozen=True, slots=True)
class DeadEvent:
    """A rejected event as the ledger keeps it."""

    id: UUID
    received_at: datetime
    reason: str
    detail: str
    body: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits, by lane, and how fast it goes; all by the database's clock."""

    #: Pending or leased photos of small albums, and of small uploads.
    interactive_photos: int
    #: Those of all other albums.
    index_photos: int
    #: How long the photo that waits longest has been due.
    oldest_s: float
    #: Photos that became indexed or dead within the last minute.
    finished_per_minute: int


@dataclass(frozen=True, slots=True)
class GalleryPoint:
    """One template on its way into the gallery."""

    face_id: UUID
    album_id: UUID
    photo_id: UUID
    template: Template


@dataclass(frozen=True, slots=True)
class GalleryMatch:
    """What the gallery knows about a near neighbour."""

    face_id: UUID
    photo_id: UUID
    #: Cosine similarity, -1 to 1.
    similarity: float


@dataclass(frozen=True, slots=True)
class FoundFace:
    """What a search shows of a face of an indexed photo."""

    id: UUID
    photo_id: UUID
    photo_name: str
    #: Pixels of the upright photo.
    box: Box
    detection_score: float
    photo_width_px: int
    photo_height_px: int
    #: What a caller calls the photo.
    external_image_id: str | None
    #: Whose face it is, as a caller says.
    user_id: str | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A face of the album that looks like the probe's."""

    face: FoundFace
    #: Cosine similarity, -1 to 1.
    similarity: float


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One face of the probe image with its own candidates, best first."""

    probe_face: RecognizedFace
    candidates: tuple[Candidate, ...]


def photo_id_of(album_id: UUID, uri: str, version: str, model_version: str) -> UUID:
    """Name a photo: the same photo listed twice is the same row."""
    return uuid5(ID_NAMESPACE, "\x00".join((str(album_id), uri, version, model_version)))


@lru_cache(4096)  # rows, points and answers name the same faces one after the other
def face_id_of(photo_id: UUID, face_number: int) -> UUID:
    """Name a face (and its gallery point): work that runs twice writes the same point twice."""
    return uuid5(photo_id, str(face_number))


#: JSON as `json.loads` returns it.
Json: TypeAlias = dict[str, Any]
