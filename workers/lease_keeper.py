"""The heartbeat: leases of photos in hand are renewed by a thread of their own, however long a photo takes."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

import structlog

from facefleet.errors import TransientError
from facefleet.ledger.leases import Leases
from facefleet.records import LeasedPhoto

log = structlog.stdlib.get_logger(__name__)


@dataclass(eq=False)
class Holding:
    """The photos of one message. Its own thread writes `progressed_at_s`, others read it."""

    photos: Sequence[LeasedPhoto]
    #: By the keeper's clock.
    progressed_at_s: float


@dataclass
class LeaseKeeper:
    """Knows what this process has in hand. `_lock` guards `_holdings`."""

    leases: Leases
    lease_s: float
    #: A photo that takes longer is stuck: it is not kept any more, so that the sweeper counts it.
    longest_photo_s: float
    clock: Callable[[], float] = time.monotonic
    #: When a message arrived last.
    last_message_s: float = field(default_factory=time.monotonic)
    _holdings: set[Holding] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def hold(self, leased: Sequence[LeasedPhoto]) -> Iterator[Callable[[], None]]:
        """Keep photos for as long as the block lasts; the block calls what it is given before each photo."""
        holding = Holding(leased, self.clock())
        self.last_message_s = holding.progressed_at_s

        def note_progress() -> None:
            holding.progressed_at_s = self.clock()

        with self._lock:
            self._holdings.add(holding)
        try:
            yield note_progress
        finally:
            with self._lock:
                self._holdings.discard(holding)

    def held(self) -> list[LeasedPhoto]:
        """List every photo in hand."""
        with self._lock:
            return [photo for holding in self._holdings for photo in holding.photos]

    def is_stuck(self) -> bool:
        """Whether some photo takes longer than any may."""
        with self._lock:
            return any(self._is_stuck(holding) for holding in self._holdings)

    def renew(self) -> None:
        """Renew what is in hand and not stuck, once."""
        with self._lock:
            kept = [photo for holding in self._holdings if not self._is_stuck(holding) for photo in holding.photos]
        if not kept:
            return
        try:
            self.leases.renew(kept, self.lease_s)
        except TransientError as error:
            log.warning("leases not renewed", photos=len(kept), error=str(error))

    def _is_stuck(self, holding: Holding) -> bool:
        return self.clock() - holding.progressed_at_s > self.longest_photo_s


@contextmanager
def heartbeat(keeper: LeaseKeeper) -> Iterator[None]:
    """Renew three times a lease while the block lasts."""
    ended = Event()

    def beat() -> None:
        while not ended.wait(keeper.lease_s / 3):
            keeper.renew()

    thread = Thread(target=beat, name="lease-keeper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
