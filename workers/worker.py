"""The consumer: Celery's worker on a threads pool, as a process of its own or inside another."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import structlog
from celery import Celery
from celery.signals import worker_shutting_down
from celery.worker import WorkController, state

from facefleet.errors import TransientError
from facefleet.settings import Settings
from workers.celery_app import consumed_queues, create_celery_app
from workers.indexing import PhotoIndexer
from workers.metrics_server import serve_metrics
from workers.parts import FleetParts
from workers.tasks import register_tasks

#: What Celery's worker is told in every process: no chatter between workers, which a ledger makes needless.
_OPTIONS = {"pool": "threads", "without_gossip": True, "without_mingle": True, "without_heartbeat": True}

_WAKE = "facefleet.wake"
_GALLERY_RETRY_S = 1.0

log = structlog.stdlib.get_logger(__name__)


def run_worker(parts: FleetParts) -> int:
    """Consume until SIGTERM or SIGINT; what is in flight is finished first. Called in the main thread.

    Returns:
        The exit status: 0 after a clean end, 1 when the recognizer went out of service.
    """
    retired, stopping = Event(), Event()

    def retire() -> None:
        if not retired.is_set():
            log.critical("the recognizer is out of service; this worker leaves the fleet")
        retired.set()
        os.kill(os.getpid(), signal.SIGTERM)

    # The signal holds its receivers weakly; this name keeps the function alive for the life of the process.
    def begin_shutdown(**_: object) -> None:
        stopping.set()

    worker_shutting_down.connect(begin_shutdown)
    prepare_gallery(parts, stopping)
    app = create_celery_app(parts.settings)
    register_tasks(app, PhotoIndexer(parts, stopping, retire))
    log.info("worker started", threads=parts.settings.resolved_worker_threads, model=parts.recognizer.description)
    queues = consumed_queues(parts.settings)
    with serve_metrics(parts.settings, parts.metrics):
        app.Worker(concurrency=parts.settings.resolved_worker_threads, queues=queues, quiet=True, **_OPTIONS).start()
    return int(retired.is_set())


def prepare_gallery(parts: FleetParts, stopping: Event) -> None:
    """Wait until the gallery is there, which may start after this process."""
    while not stopping.is_set():
        try:
            parts.gallery.prepare(parts.recognizer.model_version, parts.recognizer.dimensions)
        except TransientError as error:
            log.warning("waiting for the gallery", error=str(error))
            stopping.wait(_GALLERY_RETRY_S)
        else:
            return


def _wake() -> None:
    """Do nothing: arriving is enough."""


@contextmanager
def worker_in_thread(app: Celery, settings: Settings) -> Iterator[None]:
    """Consume in a thread of this process, which keeps its own signal handlers.

    Celery keeps its shutdown flag in a module, so there is one such worker a process at a time.
    """
    # The threads of the pool look tasks up in Celery's default application.
    app.set_default()
    app.task(_wake, name=_WAKE, shared=False)
    queues = consumed_queues(settings)
    controller = WorkController(app=app, concurrency=settings.resolved_worker_threads, queues=queues, **_OPTIONS)
    thread = Thread(target=controller.start, name="celery-worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        state.should_stop = 0
        # The consumer looks at the flag between two polls of up to two seconds, and polls once more after that.
        for _ in range(2):
            app.send_task(_WAKE, queue=queues[0])
        thread.join()
        state.should_stop = None
