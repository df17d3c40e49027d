"""The dispatcher: one thread for each duty, until it is told to stop."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import structlog
from celery import Celery

from workers.celery_app import create_celery_app
from workers.dispatcher.lister import Lister
from workers.dispatcher.loop import repeat
from workers.dispatcher.purger import Purger
from workers.dispatcher.relay import Relay
from workers.dispatcher.sweeper import Sweeper
from workers.parts import DispatcherParts

log = structlog.stdlib.get_logger(__name__)


def run_dispatcher(parts: DispatcherParts) -> None:
    """Dispatch until SIGTERM or SIGINT. Called in the main thread."""
    asked_to_end = Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: asked_to_end.set())
    with dispatcher_in_threads(create_celery_app(parts.settings), parts):
        log.info("dispatcher started", model_version=parts.model_version)
        asked_to_end.wait()


@contextmanager
def dispatcher_in_threads(app: Celery, parts: DispatcherParts) -> Iterator[None]:
    """Run all duties beside the caller; on leaving, each ends after its current step."""
    settings, ledger = parts.settings, parts.ledger
    duties = [
        (Lister(ledger, parts.stores, settings, parts.model_version).step, settings.relay_interval_s),
        (Relay(ledger, app, settings).step, settings.relay_interval_s),
        (Sweeper(ledger, settings, parts.metrics).step, settings.sweep_interval_s),
        (Purger(ledger, parts.gallery, parts.stores, settings).step, settings.relay_interval_s),
    ]
    stopping = Event()
    threads = [
        Thread(target=repeat, args=(step, rest_s, stopping), name=step.__qualname__, daemon=True)
        for step, rest_s in duties
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
