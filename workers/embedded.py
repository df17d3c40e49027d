"""The whole fleet in one process: worker and dispatcher on an in-memory broker."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from uuid import uuid4

import structlog

from facefleet.gallery.protocol import Gallery
from facefleet.ledger.engine import Ledger
from facefleet.metrics import Metrics
from facefleet.photo_store import PhotoStores
from facefleet.recognition.recognizer import Recognizer
from facefleet.settings import Settings
from workers.celery_app import INDEX_QUEUE, create_celery_app
from workers.dispatcher.dispatcher import dispatcher_in_threads
from workers.indexing import PhotoIndexer
from workers.tasks import register_tasks
from workers.worker import worker_in_thread

log = structlog.stdlib.get_logger(__name__)


@contextmanager
def embedded_fleet(
    *,
    ledger: Ledger,
    gallery: Gallery,
    stores: PhotoStores,
    recognizer: Recognizer,
    settings: Settings,
    metrics: Metrics,
) -> Iterator[None]:
    """Index what the ledger holds for as long as the block lasts; photos in flight are finished on leaving."""
    # kombu keeps in-memory queues for the whole process: a name of its own keeps two fleets apart.
    app = create_celery_app(settings.model_copy(update={"broker_url": "memory://"}), f"{INDEX_QUEUE}-{uuid4().hex}")
    stopping = Event()

    def retire() -> None:
        log.critical("the recognizer is out of service; indexing stops until the process is started again")
        stopping.set()

    indexer = PhotoIndexer(ledger, gallery, stores, recognizer, settings, metrics, stopping, retire)
    register_tasks(app, indexer)
    gallery.prepare(recognizer.model_version, recognizer.dimensions)
    with (
        worker_in_thread(app, settings.resolved_worker_threads),
        dispatcher_in_threads(
            app=app,
            ledger=ledger,
            gallery=gallery,
            stores=stores,
            model_version=recognizer.model_version,
            settings=settings,
            metrics=metrics,
        ),
    ):
        try:
            yield
        finally:
            stopping.set()
