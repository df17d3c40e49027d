"""The dispatcher: one thread for each duty, until it is told to stop."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import structlog
from celery import Celery

from facefleet.errors import ConfigurationError
from facefleet.failpoints import parse_failpoints
from facefleet.s3_events import EventRules
from facefleet.settings import Settings
from workers.celery_app import LANES, create_celery_app, queue_name
from workers.dispatcher.forgetter import EVERY_S, Forgetter
from workers.dispatcher.lister import Lister
from workers.dispatcher.loop import repeat
from workers.dispatcher.people_relay import PeopleRelay
from workers.dispatcher.prediction_relay import PredictionRelay
from workers.dispatcher.purger import Purger
from workers.dispatcher.reconciler import Reconciler
from workers.dispatcher.relay import Relay
from workers.dispatcher.s3_events import S3EventPoller
from workers.dispatcher.scaler import Scaler
from workers.dispatcher.shelf_sweeper import SHELF_SWEEP_INTERVAL_S, ShelfSweeper
from workers.dispatcher.sweeper import Sweeper
from workers.dispatcher_parts import DispatcherParts
from workers.metrics_server import serve_metrics
from workers.sqs import connect_sqs, ensure_queues

#: How often to look for what nobody waits for: points to delete, faces to group and to name.
_UNHURRIED_S = 1.0
#: How long a poller that is at work may take to end.
_POLLER_JOIN_S = 2.0

log = structlog.stdlib.get_logger(__name__)


def run_dispatcher(parts: DispatcherParts) -> None:
    """Dispatch until SIGTERM or SIGINT. Called in the main thread."""
    asked_to_end = Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: asked_to_end.set())
    parts.metrics.model.info({"version": parts.model_version})
    if parts.settings.sqs_create_queues:
        create_queues(parts.settings)
    app = create_celery_app(parts.settings)
    with serve_metrics(parts.settings, parts.metrics), dispatcher_in_threads(app, parts):
        log.info("dispatcher started", model_version=parts.model_version)
        asked_to_end.wait()


def create_queues(settings: Settings) -> None:
    """Create the fleet's queues in SQS, or set those that exist to what the fleet needs.

    Raises:
        BrokerUnavailable: SQS cannot be reached, or refuses.
    """
    names = [queue_name(settings, lane) for lane in LANES]
    urls = ensure_queues(connect_sqs(settings), names, f"{settings.queue_prefix}dead")
    log.info("queues are there", urls=urls)


@contextmanager
def dispatcher_in_threads(app: Celery, parts: DispatcherParts) -> Iterator[None]:
    """Run all duties beside the caller; on leaving, each ends after its current step.

    Raises:
        ConfigurationError: the settings of the S3-event poller do not fit together.
    """
    stopping = Event()
    poller = _open_poller(parts, stopping) if parts.settings.s3_events_queue_url else None
    threads = [_start(step, rest_s, stopping) for step, rest_s in _list_duties(app, parts, stopping)]
    polling = _start(poller.step, 0, stopping) if poller else None
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
        if polling:
            # It may sit in a long poll, which nothing can end; what comes of it now stays in the queue.
            polling.join(_POLLER_JOIN_S)


def _list_duties(app: Celery, parts: DispatcherParts, stopping: Event) -> list[tuple[Callable[[], bool], float]]:
    settings, ledger = parts.settings, parts.ledger
    unhurried_s = max(settings.relay_interval_s, _UNHURRIED_S)
    duties: list[tuple[Callable[[], bool], float]] = [
        (Lister(ledger, parts.stores, settings, parts.model_version, stopping).step, settings.relay_interval_s),
        (Relay(ledger, app, settings, parse_failpoints(settings.failpoints)).step, settings.relay_interval_s),
        (PeopleRelay(ledger, app, settings).step, unhurried_s),
        (PredictionRelay(ledger, app, settings).step, unhurried_s),
        (Sweeper(ledger, settings, parts.metrics).step, settings.sweep_interval_s),
        (Scaler.of(ledger, settings, parts.metrics).step, settings.sweep_interval_s),
        (Purger(ledger, parts.gallery, parts.stores, settings).step, unhurried_s),
        (ShelfSweeper(ledger, parts.gallery).step, SHELF_SWEEP_INTERVAL_S),
        (Forgetter(ledger, settings.audit_days).step, EVERY_S),
    ]
    if settings.callback_secret.get_secret_value():
        # It loads httpx, which takes a fifth of a second.
        from workers.dispatcher.callbacks import CallbackSender  # noqa: PLC0415

        duties.append((CallbackSender.of(ledger, settings).step, settings.relay_interval_s))
    if settings.reconcile_interval_s:
        reconciler = Reconciler(ledger, parts.gallery, parts.stores, settings, parts.model_version, stopping)
        duties.append((reconciler.step, settings.reconcile_interval_s))
    return duties


def _open_poller(parts: DispatcherParts, stopping: Event) -> S3EventPoller:
    rules = EventRules.of(parts.settings)
    if not rules.buckets:
        raise ConfigurationError(
            "FACEFLEET_S3_EVENTS_QUEUE_URL is set, but FACEFLEET_S3_EVENTS_BUCKETS names no bucket: every event would "
            "be refused"
        )
    return S3EventPoller(
        ledger=parts.ledger,
        client=connect_sqs(parts.settings),
        queue_url=parts.settings.s3_events_queue_url,
        rules=rules,
        model_version=parts.model_version,
        stopping=stopping,
        failpoints=parse_failpoints(parts.settings.failpoints),
    )


def _start(step: Callable[[], bool], rest_s: float, stopping: Event) -> Thread:
    thread = Thread(target=repeat, args=(step, rest_s, stopping), name=step.__qualname__, daemon=True)
    thread.start()
    return thread
