"""The consumer: Celery's worker on a threads pool, as a process of its own or inside another."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import structlog
from celery import Celery
from celery.signals import setup_logging, worker_shutting_down
from celery.worker import WorkController, state

from facefleet.errors import TransientError
from facefleet.settings import Settings
from workers.celery_app import consumed_queues, create_celery_app
from workers.draining import ask_to_end, bounded_drain
from workers.gpu_metrics import watch_gpus
from workers.indexing import PhotoIndexer
from workers.lease_keeper import heartbeat
from workers.metrics_server import serve_metrics
from workers.parts import FleetParts, create_grouper, create_predictor
from workers.safeguards import Safeguards, create_safeguards
from workers.spot_notice import watch_for_spot_notice
from workers.tasks import register_tasks
from workers.watchdog import Watchdog, broker_check, watches

#: What Celery's worker is told in every process: no chatter between workers, which a ledger makes needless.
_OPTIONS = {"pool": "threads", "without_gossip": True, "without_mingle": True}

_WAKE = "facefleet.wake"
_GALLERY_RETRY_S = 1.0

log = structlog.stdlib.get_logger(__name__)


def run_worker(parts: FleetParts) -> int:
    """Consume until SIGTERM or SIGINT; what is in flight is finished first. Called in the main thread.

    Returns:
        The exit status: 0 after a clean end, 1 when the recognizer went out of service, the watchdog gave up or the
        consumer ended by itself.
    """
    failed, stopping = Event(), Event()

    def give_up(why: str) -> None:
        # A second signal would end Celery's worker before its photos are done.
        if not failed.is_set():
            failed.set()
            log.critical("this worker leaves the fleet", why=why)
            ask_to_end()

    # The signal holds its receivers weakly; this name keeps the function alive for the life of the process.
    def begin_shutdown(**_: object) -> None:
        stopping.set()

    worker_shutting_down.connect(begin_shutdown)
    setup_logging.connect(_leave_logging_alone)
    prepare_gallery(parts, stopping)
    app, guards = create_celery_app(parts.settings), create_safeguards(parts)
    indexer = PhotoIndexer(parts, stopping, lambda: give_up("the recognizer is out of service"), guards)
    register_tasks(app, indexer, create_grouper(parts), create_predictor(parts))
    log.info("worker started", threads=parts.settings.resolved_worker_threads, model=parts.recognizer.description)
    threads, queues = parts.settings.resolved_worker_threads, consumed_queues(parts.settings)
    # It sets environment variables, which threads that ask for a host's address read: these begin afterwards.
    consumer = app.Worker(concurrency=threads, queues=queues, quiet=True, **_worker_options(app))
    _watch(parts, app, guards, stopping, give_up)
    drain_s, leases, keeper = parts.settings.drain_s, parts.ledger.leases, guards.keeper
    with (
        serve_metrics(parts.settings, parts.metrics),
        heartbeat(keeper),
        bounded_drain(leases, keeper.held, stopping, drain_s, exit_status=lambda: int(failed.is_set())),
    ):
        consumer.start()
        if not stopping.is_set():
            # Celery calls it unrecoverable, e.g. some losses of Redis, and ends as if it had been told to.
            failed.set()
            log.critical("this worker leaves the fleet", why="its consumer ended by itself")
    return int(failed.is_set())


def _watch(parts: FleetParts, app: Celery, guards: Safeguards, stopping: Event, give_up: Callable[[str], None]) -> None:
    """Begin to look at what is outside of the worker's own work; the threads die with the process."""
    settings = parts.settings
    if watches(settings):
        check = broker_check(app, consumed_queues(settings)[0])
        watchdog = Watchdog(settings, parts.ledger.leases, guards, check, give_up)
        Thread(target=watchdog.run, args=(stopping,), name="watchdog", daemon=True).start()
    if settings.ec2_metadata_url:
        asked = (settings.ec2_metadata_url, stopping, ask_to_end)
        Thread(target=watch_for_spot_notice, args=asked, name="spot-notice", daemon=True).start()
    # The driver brings it; a worker that was told to leave GPUs alone has nothing to show.
    if settings.device != "cpu" and (command := shutil.which("nvidia-smi")):
        shown = (command, parts.metrics, stopping)
        Thread(target=watch_gpus, args=shown, name="gpu-metrics", daemon=True).start()


def _worker_options(app: Celery) -> dict[str, Any]:
    # Without its heartbeat a worker would not send the events either that Flower asks for.
    return {**_OPTIONS, "without_heartbeat": not app.conf.worker_enable_remote_control}


def _leave_logging_alone(**_: object) -> None:
    """Be there: without a receiver of this signal Celery sets the root logger to WARNING."""


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
    threads, options = settings.resolved_worker_threads, _worker_options(app)
    controller = WorkController(app=app, concurrency=threads, queues=queues, **options)
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
