"""The dispatcher: one thread for each duty, until it is told to stop."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from celery import Celery

from facefleet.gallery.protocol import Gallery
from facefleet.ledger.engine import Ledger
from facefleet.metrics import Metrics
from facefleet.photo_store import PhotoStores
from facefleet.settings import Settings
from workers.dispatcher.lister import Lister
from workers.dispatcher.loop import repeat
from workers.dispatcher.purger import Purger
from workers.dispatcher.relay import Relay
from workers.dispatcher.sweeper import Sweeper


@contextmanager
def dispatcher_in_threads(
    *,
    app: Celery,
    ledger: Ledger,
    gallery: Gallery,
    stores: PhotoStores,
    model_version: str,
    settings: Settings,
    metrics: Metrics,
) -> Iterator[None]:
    """Run all duties beside the caller; on leaving, each ends after its current step."""
    stopping = Event()
    duties = [
        (Lister(ledger, stores, settings, model_version).step, settings.relay_interval_s),
        (Relay(ledger, app, settings).step, settings.relay_interval_s),
        (Sweeper(ledger, settings, metrics).step, settings.sweep_interval_s),
        (Purger(ledger, gallery, stores, settings).step, settings.relay_interval_s),
    ]
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
