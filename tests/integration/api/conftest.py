"""The API on a real socket with real ledger, gallery, photo store and indexer; the recognizer reads what it sees."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, cast

import httpx
import numpy as np
import pytest

from api.dependencies import Services
from cli.http_server import listen, serve_http, url_of
from facefleet.errors import PhotoUndecodable
from facefleet.face_records import Box, Detection, Quality, RecognizedFace, RecognizedPhoto, Template
from facefleet.gallery.opening import open_gallery
from facefleet.ledger.engine import open_ledger
from facefleet.metrics import Metrics
from facefleet.photo_store import open_photo_stores
from facefleet.recognition.decoding import DecodedPhoto
from facefleet.recognition.model_pack import ModelPack
from facefleet.records import PhotoState
from facefleet.settings import Settings
from workers.dispatcher.lister import Lister
from workers.indexing import PhotoIndexer
from workers.parts import FleetParts
from workers.safeguards import create_safeguards

DIMENSIONS = 64


class DrawnDecoder:
    """Sees red in every photo, wherever there is a face of person 0 or 1: its first two squares."""

    @contextmanager
    def decode(
        self, photo_bytes: bytes, *, min_side_px: int | None = None, urgent: bool = False
    ) -> Iterator[DecodedPhoto]:
        assert not urgent, "pictures go behind searches"
        assert min_side_px is None or min_side_px >= 480
        image = np.zeros((200, 400, 3), np.uint8)
        image[20:70, 0:80] = (255, 0, 0)
        assert photo_bytes
        yield DecodedPhoto(image, 400, 200)


class DrawnRecognizer:
    """Reads a photo of the form `people 3 5`: a face of person 3 and one of person 5."""

    model_version = "feedfeedfeedfeed"
    dimensions = DIMENSIONS
    healthy = True
    similarity_threshold = 0.3
    runtime = "none: it reads"
    pack = ModelPack("drawn", Path(), Path(), Path(), model_version, 0.5, 0.3, "anybody's", drawn_people=True)
    decoder = DrawnDecoder()

    def recognize(self, photo_bytes: bytes, **_: bool) -> RecognizedPhoto:
        word, *people = photo_bytes.decode("latin-1").split() or [""]
        if word != "people":
            raise PhotoUndecodable("these bytes are not a photo")
        faces = [self._face(number, int(person)) for number, person in enumerate(people)]
        return RecognizedPhoto(400, 200, tuple(faces))

    def _face(self, number: int, person: int) -> RecognizedFace:
        landmarks = np.arange(10, dtype=np.float32).reshape(5, 2)
        detection = Detection(Box(40.0 * number, 20.0, 40.0, 50.0), landmarks, 0.9)
        return RecognizedFace(detection, template_of(person), Quality(0.9, 40, 200, 120, 0, 0, 0))


def template_of(person: int) -> Template:
    drawn = np.random.default_rng(person).standard_normal(DIMENSIONS).astype(np.float32)
    return cast("Template", drawn / np.linalg.norm(drawn))


@pytest.fixture
def open_drawn_services(tmp_path: Path) -> Callable[..., AbstractContextManager[Services]]:
    @contextmanager
    def opened(**changed: Any) -> Iterator[Services]:  # noqa: ANN401  any setting
        settings = Settings(_env_file=None, data_dir=tmp_path / "data", cpu_threads=2, **changed)
        settings.data_dir.mkdir(exist_ok=True)
        recognizer = DrawnRecognizer()
        with (
            closing(open_ledger(settings.resolved_ledger_url)) as ledger,
            closing(open_gallery(settings, owner=True)) as gallery,
        ):
            yield Services(
                settings=settings,
                ledger=ledger,
                gallery=gallery,
                stores=open_photo_stores(settings),
                metrics=Metrics(),
                recognizer=cast("Any", recognizer),
                model_version=recognizer.model_version,
                on_loopback=True,
            )

    return opened


@contextmanager
def serving(services: Services) -> Iterator[httpx.Client]:
    listener = listen("127.0.0.1", 0)
    with serve_http(services, listener), httpx.Client(base_url=url_of(listener), timeout=30) as client:
        try:
            yield client
        finally:
            services.stopping.set()


@contextmanager
def indexing(services: Services) -> Iterator[None]:
    """List and index what the ledger holds, in one thread: a fleet without its broker."""
    stopping = Event()
    worker = Thread(target=_index_until, args=(services, stopping))
    worker.start()
    try:
        yield
    finally:
        stopping.set()
        worker.join(30)
        assert not worker.is_alive()


def _index_until(services: Services, stopping: Event) -> None:
    assert services.recognizer
    parts = FleetParts(
        settings=services.settings,
        ledger=services.ledger,
        gallery=services.gallery,
        stores=services.stores,
        metrics=services.metrics,
        model_version=services.model_version,
        recognizer=services.recognizer,
    )
    lister = Lister(services.ledger, services.stores, services.settings, services.model_version, Event())
    indexer = PhotoIndexer(parts, stopping, retire=stopping.set, guards=create_safeguards(parts))
    while not stopping.wait(0.02):
        lister.step()
        for summary in services.ledger.albums.list_summaries():
            waiting = services.ledger.photos.list(summary.album.id, PhotoState.PENDING, 64, None)
            indexer.index([photo.id for photo in waiting])


@pytest.fixture
def services(open_drawn_services: Callable[..., AbstractContextManager[Services]]) -> Iterator[Services]:
    with open_drawn_services() as opened:
        yield opened


@pytest.fixture
def client(services: Services) -> Iterator[httpx.Client]:
    """A client of a server that has an album, `people`, and nobody who indexes."""
    with serving(services) as client:
        client.post("/v1/albums", json={"name": "people"}).raise_for_status()
        yield client
