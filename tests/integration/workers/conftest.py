"""A fleet's parts, real but for the recognizer: it reads what to find from the photo's own bytes."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from uuid import UUID

import numpy as np
import pytest

from facefleet.errors import PhotoUndecodable
from facefleet.face_records import Box, Detection, Quality, RecognizedFace, RecognizedPhoto
from facefleet.gallery.qdrant_edge import EdgeGallery
from facefleet.ledger.engine import open_ledger
from facefleet.metrics import Metrics
from facefleet.photo_store import open_photo_stores
from facefleet.settings import Settings
from workers.indexing import PhotoIndexer
from workers.parts import FleetParts
from workers.safeguards import create_safeguards

MODEL_VERSION = "00000000000000aa"
DIMENSIONS = 8


def recognized_face(seed: int) -> RecognizedFace:
    template = np.random.default_rng(seed).normal(size=DIMENSIONS).astype(np.float32)
    return RecognizedFace(
        Detection(Box(1, 2, 30, 40), np.zeros((5, 2), np.float32), 0.9),
        template / np.linalg.norm(template),
        Quality(0.5, 30, 100, 128, 0, 0, 0),
    )


@dataclass
class ScriptedRecognizer:
    """`b"2 faces"` has two faces; anything that does not begin with a number is not a photo."""

    model_version: str = MODEL_VERSION
    dimensions: int = DIMENSIONS
    description: str = "scripted"
    #: Its calibration is guessed.
    pack: None = None
    #: Called before each photo; a test plants failures here.
    before: Callable[[bytes], None] = field(default=lambda _: None)

    def recognize(self, photo_bytes: bytes, *, urgent: bool = False) -> RecognizedPhoto:
        assert not urgent
        self.before(photo_bytes)
        count = photo_bytes.split(maxsplit=1)[0] if photo_bytes.strip() else b""
        if not count.isdigit():
            raise PhotoUndecodable("not a photo")
        faces = tuple(recognized_face(hash(photo_bytes) % 1000 + number) for number in range(int(count)))
        return RecognizedPhoto(100, 80, faces)


@dataclass(frozen=True)
class Bench:
    """What a test works on."""

    parts: FleetParts
    recognizer: ScriptedRecognizer
    indexer: PhotoIndexer
    folder: Path
    retired: Event

    def write(self, **photos: bytes) -> None:
        for name, data in photos.items():
            (self.folder / f"{name}.jpg").write_bytes(data)

    def list_into(self, album: str) -> tuple[UUID, UUID]:
        """Register the folder's photos as the lister does; returns album id and job id."""
        ledger = self.parts.ledger
        album_id = ledger.albums.ensure(album).id
        job = ledger.jobs.create(album_id, self.folder.as_uri())
        ledger.jobs.add_photos(job.id, MODEL_VERSION, list(self.parts.stores.list_photos(self.folder.as_uri())))
        ledger.jobs.finish_listing(job.id)
        return album_id, job.id

    def photo_ids(self, album_id: UUID) -> list[UUID]:
        return [photo.id for photo in self.parts.ledger.photos.list(album_id, None, 1000, None)]

    def states(self, album_id: UUID) -> dict[str, str]:
        return {photo.name: str(photo.state) for photo in self.parts.ledger.photos.list(album_id, None, 1000, None)}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    settings = Settings(data_dir=tmp_path / "data", retry_backoff_s=0.001, max_attempts=2)
    folder = tmp_path / "photos"
    folder.mkdir()
    recognizer, retired = ScriptedRecognizer(), Event()
    with (
        closing(open_ledger(settings.resolved_ledger_url)) as ledger,
        closing(EdgeGallery(tmp_path / "gallery")) as gallery,
    ):
        gallery.prepare(MODEL_VERSION, DIMENSIONS)
        parts = FleetParts(
            settings=settings,
            ledger=ledger,
            gallery=gallery,
            stores=open_photo_stores(settings),
            metrics=Metrics(),
            model_version=MODEL_VERSION,
            recognizer=recognizer,  # type: ignore[arg-type]  the same methods
        )
        indexer = PhotoIndexer(parts, Event(), retired.set, create_safeguards(parts))
        yield Bench(parts, recognizer, indexer, folder, retired)
