"""Ledger, gallery, store and recognizer in memory: enough of each for the API's routes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import numpy as np

from facefleet.errors import AlbumExists, AlbumNotFound, JobNotFound, PhotoUndecodable
from facefleet.face_records import Box, Detection, Quality, RecognizedFace, RecognizedPhoto, Template
from facefleet.ledger.audit import AuditEntry
from facefleet.records import (
    DEFAULT_TENANT,
    Album,
    AlbumSummary,
    Face,
    FoundFace,
    GalleryMatch,
    Job,
    JobProgress,
    JobState,
    Photo,
    PhotoRef,
    PhotoState,
    photo_id_of,
)

MODEL_VERSION = "feed"
QUALITY = Quality(0.9, 40.0, 200.0, 120.0, 1.0, 2.0, 3.0)
LANDMARKS = np.array([[12, 14], [28, 14], [20, 24], [14, 32], [26, 32]], np.float32)


class FakeAlbums:
    def __init__(self) -> None:
        self.albums: dict[UUID, Album] = {}
        self.begun: list[UUID] = []
        self.deleted_by = ""

    def create(self, name: str, tenant: str = DEFAULT_TENANT) -> Album:
        if any((album.tenant, album.name) == (tenant, name) for album in self.albums.values()):
            raise AlbumExists(f"There is an album named {name!r} already.")
        album = Album(uuid4(), tenant, name, datetime.now(UTC))
        self.albums[album.id] = album
        return album

    def get(self, name: str, tenant: str = DEFAULT_TENANT) -> Album:
        for album in self.albums.values():
            if (album.tenant, album.name) == (tenant, name) and album.id not in self.begun:
                return album
        raise AlbumNotFound(f"There is no album named {name!r}.")

    def summarize(self, album_id: UUID) -> AlbumSummary:
        return AlbumSummary(self.albums[album_id], photos=3, indexed=2, dead=1, faces=4)

    def list_summaries(self, tenant: str = DEFAULT_TENANT) -> list[AlbumSummary]:
        return [self.summarize(album.id) for album in self.albums.values() if album.tenant == tenant]

    def begin_delete(self, album_id: UUID, who: str = "facefleet") -> None:
        self.begun.append(album_id)
        self.deleted_by = who

    def erase(self, album_id: UUID) -> None:
        self.albums.pop(album_id, None)


class FakeJobs:
    def __init__(self, albums: FakeAlbums) -> None:
        self.albums = albums
        self.jobs: dict[UUID, Job] = {}
        self.refs: dict[UUID, list[PhotoRef]] = {}
        #: What `progress` answers next, one for each call; the last one stays.
        self.script: list[Callable[[Job], JobProgress]] = []

    def create(self, album_id: UUID, source: str, state: JobState) -> Job:
        album = self.albums.albums.get(album_id)
        if album is None or album_id in self.albums.begun:
            raise AlbumNotFound("The album is gone.")
        job = Job(uuid4(), album_id, album.name, source, state, None, datetime.now(UTC))
        self.jobs[job.id] = job
        return job

    def add_photos(self, job_id: UUID, model_version: str, refs: Sequence[PhotoRef], *, urgent: bool) -> None:
        assert model_version == MODEL_VERSION
        assert urgent == (len(refs) <= 20)
        self.refs.setdefault(job_id, []).extend(refs)

    def progress(self, job_id: UUID, tenant: str) -> JobProgress:
        if job_id not in self.jobs or tenant != DEFAULT_TENANT:
            raise JobNotFound(f"There is no job {job_id}.")
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return answer(self.jobs[job_id])


def progress_of(
    state: JobState, *, indexed: int, waiting: int, detail: str | None = None
) -> Callable[[Job], JobProgress]:
    return lambda job: JobProgress(
        replace(job, state=state, detail=detail),
        photos=indexed + waiting,
        indexed=indexed,
        dead=0,
        waiting=waiting,
        faces=2 * indexed,
        seconds=4.0,
    )


class FakePhotos:
    def __init__(self) -> None:
        self.photos: list[Photo] = []

    def list(
        self, album_id: UUID, state: PhotoState | None, limit: int, after: str | None, *, offset: int = 0
    ) -> list[Photo]:
        found = [photo for photo in self.photos if photo.album_id == album_id and state in {None, photo.state}]
        start = next((n + 1 for n, photo in enumerate(found) if str(photo.id) == after), 0)
        return found[start + offset :][:limit]

    def retry_dead(self, album_id: UUID) -> int:
        return len(self.list(album_id, PhotoState.DEAD, 1000, None))


class FakeFaces:
    def __init__(self) -> None:
        self.faces: dict[UUID, Face] = {}

    def get_many(self, face_ids: Iterable[UUID]) -> dict[UUID, Face]:
        return {face_id: self.faces[face_id] for face_id in face_ids if face_id in self.faces}

    def list(self, album_id: UUID, limit: int, after: str | None) -> list[Face]:
        found = [face for face in self.faces.values() if face.album_id == album_id]
        start = next((n + 1 for n, face in enumerate(found) if str(face.id) == after), 0)
        return found[start : start + limit]


@dataclass
class FakeFoundFaces:
    faces: FakeFaces

    def get_many(self, face_ids: Iterable[UUID]) -> dict[UUID, FoundFace]:
        return {face_id: _found(face) for face_id, face in self.faces.get_many(face_ids).items()}


def _found(face: Face) -> FoundFace:
    size = (face.photo_width_px, face.photo_height_px)
    return FoundFace(face.id, face.photo_id, face.photo_name, face.box, face.detection_score, *size, None, None)


class FakeAudit:
    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []
        self.down: Exception | None = None

    def append(self, entry: AuditEntry) -> None:
        if self.down:
            raise self.down
        self.entries.append(entry)


class Forgetful:
    """What of a ledger has nothing to forget in memory."""

    def forget_dead_of(self, album_name: str) -> None:
        assert album_name

    def shred_deleted(self) -> None:
        pass


class FakeLedger:
    def __init__(self) -> None:
        self.albums = FakeAlbums()
        self.jobs = FakeJobs(self.albums)
        self.photos = FakePhotos()
        self.faces = FakeFaces()
        self.found_faces = FakeFoundFaces(self.faces)
        self.keys = None
        self.audit = FakeAudit()
        self.ingest = self.database = Forgetful()
        self.down: Exception | None = None

    def check(self) -> None:
        if self.down:
            raise self.down


@dataclass
class FakeGallery:
    """Answers every search with the first of its matches."""

    matches: list[GalleryMatch] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    deleted: list[UUID] = field(default_factory=list)
    down: Exception | None = None

    def search(
        self, model_version: str, _album_id: UUID, _template: Template, *, limit: int, min_similarity: float
    ) -> list[GalleryMatch]:
        assert model_version == MODEL_VERSION
        if self.down:
            raise self.down
        self.asked.append(limit)
        return [match for match in self.matches if match.similarity >= min_similarity][:limit]

    def count(self, model_version: str, _album_id: UUID) -> int:
        assert model_version == MODEL_VERSION
        return len(self.matches)

    def delete_album(self, album_id: UUID) -> None:
        if self.down:
            raise self.down
        self.deleted.append(album_id)

    def check(self) -> None:
        if self.down:
            raise self.down


@dataclass
class FakeStores:
    files: dict[str, bytes] = field(default_factory=dict)
    #: Raised by the write after this many.
    failing: tuple[int, Exception] | None = None
    down: Exception | None = None

    def check_uploads(self) -> None:
        if self.down:
            raise self.down

    def write(self, uri: str, data: bytes) -> PhotoRef:
        if self.failing and len(self.files) >= self.failing[0]:
            raise self.failing[1]
        self.files[uri] = data
        return PhotoRef(uri, uri.rpartition("/")[2], "v1", len(data))

    def delete_prefix(self, prefix: str) -> None:
        self.files = {uri: content for uri, content in self.files.items() if not uri.startswith(prefix)}


@dataclass
class FakeRecognizer:
    """Sees as many faces as the image has bytes `F`; an image of `bad` cannot be decoded."""

    model_version: str = MODEL_VERSION
    similarity_threshold: float = 0.0
    healthy: bool = True
    error: BaseException | None = None
    #: Called within each recognition.
    meanwhile: Callable[[], None] = lambda: None

    def recognize(self, content: bytes, *, urgent: bool = False, **_: bool) -> RecognizedPhoto:
        assert urgent
        self.meanwhile()
        if self.error:
            raise self.error
        if content == b"bad":
            raise PhotoUndecodable("The bytes are not a photo.")
        return RecognizedPhoto(200, 100, tuple(recognized_face(n) for n in range(content.count(b"F"))))


def recognized_face(number: int) -> RecognizedFace:
    template = np.eye(4, dtype=np.float32)[number % 4]
    detection = Detection(Box(10.0 + number, 10.0, 20.0, 25.0), LANDMARKS, 0.87654321)
    return RecognizedFace(detection, template, QUALITY)


def face_in(album: Album, name: str) -> Face:
    photo_id = photo_id_of(album.id, name, "v1", MODEL_VERSION)
    return Face(uuid4(), album.id, photo_id, name, Box(40, 20, 100, 50), LANDMARKS, 0.9, QUALITY, 400, 200)


def photo_in(album: Album, name: str, state: PhotoState, reason: str | None = None) -> Photo:
    photo_id = photo_id_of(album.id, name, "v1", MODEL_VERSION)
    return Photo(
        id=photo_id,
        album_id=album.id,
        name=name,
        store_uri=f"file:///album/{name}",
        version="v1",
        size_bytes=10,
        model_version=MODEL_VERSION,
        state=state,
        attempt=1,
        crash_count=0,
        reason=reason,
        detail="It is not a photo." if reason else None,
        face_count=None if reason else 2,
        width_px=400,
        height_px=200,
    )
