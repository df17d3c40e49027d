"""The watchdog: a worker that consumes nothing although work is on its way ends, so that its supervisor starts it anew.

A Celery worker may lose its broker without noticing and then sit there in silence; and a native call may never return.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

import structlog
from celery import Celery

from facefleet.errors import BrokerUnavailable, TransientError
from facefleet.ledger.leases import Leases
from facefleet.settings import Settings
from workers.safeguards import Safeguards

_LOOKS_PER_LIMIT = 6

log = structlog.stdlib.get_logger(__name__)


@dataclass
class Watchdog:
    """Used by one thread."""

    settings: Settings
    leases: Leases
    guards: Safeguards
    #: Returns when the broker answers on a new connection; raises BrokerUnavailable otherwise.
    check_broker: Callable[[], None]
    #: Called once the process is of no use any more.
    give_up: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    #: Until then there was a reason to be idle.
    _excused_s: float = field(default_factory=time.monotonic)

    def run(self, stopping: Event) -> None:
        """Look several times within the limit, until `stopping`."""
        while not stopping.wait(self.settings.watchdog_s / _LOOKS_PER_LIMIT):
            self.look()

    def look(self) -> None:
        """Look once."""
        if self.guards.keeper.is_stuck():
            self.give_up("a photo takes longer than any may")
            return
        now_s = self.clock()
        if self._is_excused():
            self._excused_s = now_s
        elif now_s - max(self._excused_s, self.guards.keeper.last_message_s) > self.settings.watchdog_s:
            self.give_up("photos are on their way and none arrives")

    def _is_excused(self) -> bool:
        """Busy, held up by a dependency, or nothing to do."""
        if self.guards.keeper.held() or self.guards.breakers.any_open:
            return True
        try:
            if not self.leases.runway(self.settings.redispatch_after_s):
                return True
            self.check_broker()
        except TransientError as error:
            log.warning("watchdog waits", error=str(error), reason=error.reason)
            return True
        return False


def watches(settings: Settings) -> bool:
    """Whether idleness says anything: to a worker of some lanes only, what is on its way may be for others."""
    return bool(settings.watchdog_s) and {"interactive", "index"} <= set(settings.worker_lanes.split(","))


def broker_check(app: Celery, queue: str) -> Callable[[], None]:
    """Make a check that asks the broker on a connection of its own, not on the one that may be dead."""

    def check() -> None:
        try:
            with app.connection_for_read() as connection:
                connection.default_channel.queue_declare(queue=queue)
        except Exception as error:
            # kombu lets every client library's errors through.
            raise BrokerUnavailable(f"the broker cannot be reached: {error}") from error

    return check
