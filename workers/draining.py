"""Leaving the fleet: what is in flight gets its time, the rest goes back to the ledger at once."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import structlog

from facefleet.errors import LedgerUnavailable
from facefleet.ledger.leases import Leases
from facefleet.records import LeasedPhoto

log = structlog.stdlib.get_logger(__name__)


@contextmanager
def bounded_drain(
    leases: Leases,
    held: Callable[[], list[LeasedPhoto]],
    stopping: Event,
    drain_s: float,
    exit_status: Callable[[], int],
) -> Iterator[None]:
    """End the process when it still works `drain_s` seconds after `stopping` was set.

    Args:
        leases: where the photos go back to, as if they had never been claimed.
        held: lists the photos in hand.
        stopping: set when the process is to end.
        drain_s: how long what is in flight may take.
        exit_status: asked for when the time is over.
    """
    ended = Event()

    def watch() -> None:
        stopping.wait()
        if ended.wait(drain_s):
            return
        release(leases, held())
        os._exit(exit_status())

    Thread(target=watch, name="drain", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def release(leases: Leases, photos: list[LeasedPhoto]) -> None:
    """Give photos back without a burnt attempt, to be claimed by others at once."""
    try:
        for photo in photos:
            leases.release(photo, 0, burn_attempt=False)
    except LedgerUnavailable as error:
        log.warning("photos not given back; their leases will run out", error=str(error))
    else:
        log.info("photos given back", photos=len(photos))


def ask_to_end() -> None:
    """Begin this process' clean end, as its supervisor would."""
    os.kill(os.getpid(), signal.SIGTERM)
