"""One fault: what is done, how it is proven to have landed, what is expected besides; and proofs that rows share."""

import signal
from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.run import Evidence, Run
from tests.chaos.scene import Kind
from tests.chaos.storms.processes import count_exits

_KILLED = -int(signal.SIGKILL)


def none_dead(evidence: Evidence) -> bool:
    return not evidence.verdict.dead


def no_attempt_burnt(evidence: Evidence) -> bool:
    return none_dead(evidence) and evidence.verdict.redeliveries == 0


def submit(run: Run) -> None:
    run.submit()


def nothing(_: Run) -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Row:
    """One fault."""

    fault: str
    storm: Callable[[Run], None]
    #: How often the fault is seen to have landed; 0 when it was not there.
    landed: Callable[[Evidence], int]
    #: What has to hold besides the invariants.
    expected: Callable[[Evidence], bool] = none_dead
    expected_text: str | Callable[[Evidence], str] = "none dead"
    #: Bound on the recovery.
    quiet_within_s: float = 60
    photos: int = 64
    kind: Kind = "fleet"
    #: Called before the album is handed to the fleet, and how that is done.
    prepare: Callable[[Run], None] = nothing
    enter: Callable[[Run], None] = submit
    #: Compares times: run while no other row is.
    timed: bool = False

    def describe(self, evidence: Evidence) -> str:
        """Say what was expected besides, or what came of it."""
        return self.expected_text if isinstance(self.expected_text, str) else self.expected_text(evidence)


def refused_with(reason: str) -> Callable[[Evidence], bool]:
    return lambda evidence: dict(evidence.verdict.dead) == {reason: 10}


def worker_kills(evidence: Evidence) -> int:
    """A worker was killed, and a lease of its own ran out."""
    return min(evidence.exits["worker", _KILLED], evidence.verdict.crashed)


def kills_of(role: str) -> Callable[[Evidence], int]:
    return lambda evidence: evidence.exits[role, _KILLED] if evidence.leases_at_fault else 0


def server_strikes(evidence: Evidence) -> int:
    return evidence.servers_struck if evidence.leases_at_fault else 0


def hits_of(verb: str) -> Callable[[Evidence], int]:
    return lambda evidence: evidence.hits[verb]


def saw(what: str) -> Callable[[Evidence], int]:
    return lambda evidence: evidence.seen[what] if evidence.leases_at_fault else 0


def only_hostile_dead(evidence: Evidence) -> bool:
    """Exactly the photos that cannot be read are dead, and no worker noticed."""
    dead = sum(evidence.verdict.dead.values())
    unharmed = evidence.seen["workers whose pid is unchanged"] == 2 and not count_exits(evidence.exits, "worker")
    return evidence.verdict.good_dead == 0 and dead == evidence.seen["unreadable"] and unharmed
