"""Circuit breakers: while a dependency is down, a worker claims one message now and then instead of all of them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Lock

import structlog
from prometheus_client import Gauge

from facefleet.errors import FacefleetError, GalleryUnavailable, PhotoStoreUnavailable
from facefleet.metrics import Metrics

#: Failures in a row that open a breaker: one bad object or a short hiccup does not.
_FAILURES_TO_OPEN = 5
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0

log = structlog.stdlib.get_logger(__name__)


@dataclass
class Breaker:
    """One dependency; `_lock` guards what changes. Open: one caller after each pause tries it, the others wait."""

    dependency: str
    is_open_gauge: Gauge
    clock: Callable[[], float] = time.monotonic
    _failures: int = 0
    _pause_s: float = _FIRST_PAUSE_S
    _next_try_s: float = 0
    _lock: Lock = field(default_factory=Lock)

    @property
    def is_open(self) -> bool:
        """Whether the dependency is taken to be down."""
        return self._failures >= _FAILURES_TO_OPEN

    def seconds_to_wait(self) -> float:
        """Return 0 to who may go on now; while it is open, that is one caller after each pause."""
        with self._lock:
            now_s = self.clock()
            if not self.is_open:
                return 0
            if now_s < self._next_try_s:
                return self._next_try_s - now_s
            self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)
            self._next_try_s = now_s + self._pause_s
            return 0

    def note_failure(self) -> None:
        """The dependency did not answer, or with an error of its own."""
        with self._lock:
            self._failures += 1
            if self._failures != _FAILURES_TO_OPEN:
                return
            self._pause_s = _FIRST_PAUSE_S
            self._next_try_s = self.clock() + self._pause_s
        self.is_open_gauge.set(1)
        log.warning("dependency is down; claiming pauses", dependency=self.dependency)

    def note_success(self) -> None:
        """The dependency did what it was asked."""
        with self._lock:
            was_open, self._failures = self.is_open, 0
        if was_open:
            self.is_open_gauge.set(0)
            log.info("dependency is back", dependency=self.dependency)


@dataclass(frozen=True)
class Breakers:
    """Those of a worker. The ledger needs none: without it nothing can be claimed."""

    photo_store: Breaker
    gallery: Breaker

    @property
    def any_open(self) -> bool:
        """Whether some dependency is taken to be down."""
        return self.photo_store.is_open or self.gallery.is_open

    def note_failure(self, error: FacefleetError) -> None:
        """Count an error against the dependency that it speaks of, if any."""
        if isinstance(error, PhotoStoreUnavailable):
            self.photo_store.note_failure()
        elif isinstance(error, GalleryUnavailable):
            self.gallery.note_failure()

    def wait(self, stopping: Event) -> None:
        """Return when there is reason to claim, or when the process is to end."""
        for breaker in (self.photo_store, self.gallery):
            while (wait_s := breaker.seconds_to_wait()) and not stopping.wait(wait_s):
                pass


def create_breakers(metrics: Metrics) -> Breakers:
    """Make the breakers of one process, all closed."""
    store, gallery = (
        Breaker(dependency, metrics.breaker_open.labels(dependency)) for dependency in ("photo_store", "gallery")
    )
    return Breakers(store, gallery)
