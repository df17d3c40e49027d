"""The scaler: the deadline rule over the ledger's backlog, as the metric that an autoscaler follows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Self

from facefleet.capacity.controller import DeadlineController, FleetView, RateMeter
from facefleet.capacity.deadline_rule import AlbumLoad, DeadlineTerms
from facefleet.ledger.engine import Ledger
from facefleet.ledger.message_sizes import MessageSizes
from facefleet.ledger.outbox import TURN_EVERY
from facefleet.ledger.rates import FleetLoad, WaitingAlbum, read_load
from facefleet.metrics import Metrics
from facefleet.settings import Settings

#: The autoscaler has its own bound; this one keeps nonsense out of the metric.
_MOST_WORKERS = 1000


@dataclass
class Scaler:
    """Owned by its thread. Every dispatcher has one, and all come to about the same: follow the largest."""

    ledger: Ledger
    settings: Settings
    metrics: Metrics
    controller: DeadlineController
    _began: datetime | None = None
    _last: datetime | None = None
    _photos_done: int = 0

    @classmethod
    def of(cls, ledger: Ledger, settings: Settings, metrics: Metrics) -> Self:
        """Take deadline, start-up time and the first estimate of the rate from the settings."""
        terms = DeadlineTerms(
            deadline_s=settings.album_deadline_s,
            start_s=settings.worker_start_s,
            turn_every=TURN_EVERY,
            max_workers=_MOST_WORKERS,
        )
        controller = DeadlineController(terms, RateMeter(settings.worker_photos_per_s))
        return cls(ledger, settings, metrics, controller)

    def step(self) -> bool:
        """Look once, and say how many workers there should be."""
        load = read_load(self.ledger.database, self._last)
        self._began, self._last = self._began or load.now, load.now
        self._photos_done += load.finished_photos
        view = self._view((load.now - self._began).total_seconds(), load)
        self.metrics.workers_wanted.set(self.controller.decide(view))
        self.metrics.worker_photos_per_s.set(self.controller.rate.photos_per_s)
        return False

    def _view(self, now_s: float, load: FleetLoad) -> FleetView:
        deadline_s = self.settings.album_deadline_s
        return FleetView(
            now_s,
            tuple(AlbumLoad(album.photos, deadline_s - album.waited_s) for album in load.albums),
            running=count_workers(load.albums, self.settings),
            photos_done=self._photos_done,
        )


def count_workers(albums: Iterable[WaitingAlbum], settings: Settings) -> int:
    """Estimate the workers from what they hold: a busy one has a message in each of its threads.

    The ledger does not know workers, and SQS does not tell; this holds for every broker.
    """
    sizes = MessageSizes.of(settings)
    messages = sum(album.leased / sizes.for_album(album.photos - album.leased) for album in albums)
    return ceil(messages / settings.resolved_worker_threads)
