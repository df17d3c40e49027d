"""Policies that the simulation compares: the deadline rule, and what autoscalers do out of the box."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import ceil, inf

from facefleet.capacity.controller import DeadlineController, FleetView, RateMeter
from facefleet.capacity.deadline_rule import DeadlineTerms
from facefleet.capacity.scenario import Scenario
from facefleet.capacity.simulation import Policy

#: The sweeper computes the gauge; the autoscaler polls it and then the machine is asked for.
_TICK_S = 15.0
_GAUGE_DELAY_S = 15.0


@dataclass
class Stabilized:
    """The Kubernetes autoscaler around a rule: down only to the most that was recommended within some time."""

    recommend: Callable[[FleetView], int]
    #: The autoscaler's own default.
    stabilization_s: float = 300.0
    _recommended: deque[tuple[float, int]] = field(default_factory=deque)

    def decide(self, view: FleetView) -> int:
        """Recommend, and hold on to higher recommendations of the last minutes."""
        self._recommended.append((view.now_s, self.recommend(view)))
        while self._recommended[0][0] < view.now_s - self.stabilization_s:
            self._recommended.popleft()
        return max(workers for _, workers in self._recommended)


@dataclass
class TargetTracking:
    """AWS target tracking on backlog per worker: out after three minutes above the target, in after fifteen below."""

    photos_per_worker: float
    min_workers: int
    max_workers: int
    _backlogs: deque[int] = field(default_factory=lambda: deque(maxlen=15))
    _wanted: int = 0

    def decide(self, view: FleetView) -> int:
        """Look at one data point a minute."""
        self._backlogs.append(view.backlog_photos)
        recent = [self._clip(each) for each in self._backlogs]
        out, into = min(recent[-3:]), max(recent)
        self._wanted = max(self._wanted, self.min_workers)
        if len(recent) >= 3 and out > self._wanted:  # noqa: PLR2004  three data points, as the alarm has it
            self._wanted = out
        elif len(recent) == self._backlogs.maxlen and into < self._wanted:
            self._wanted = into
        return self._wanted

    def _clip(self, backlog_photos: int) -> int:
        return min(max(ceil(backlog_photos / self.photos_per_worker), self.min_workers), self.max_workers)


def deadline_policy(scenario: Scenario, planned_share: float = 0.9) -> Policy:
    """Build the project's own policy for a scenario, with the scenario's mean rate as first estimate."""
    terms = DeadlineTerms(
        deadline_s=scenario.deadline_s,
        start_s=_GAUGE_DELAY_S + scenario.boot_s + scenario.load_s,
        planned_share=planned_share,
        turn_every=scenario.turn_every,
        min_workers=scenario.base_workers,
        max_workers=scenario.max_workers,
    )
    controller = DeadlineController(terms, RateMeter(scenario.photos_per_s))
    return Policy("deadline rule", controller.decide, _TICK_S, _GAUGE_DELAY_S)


def keda_policy(scenario: Scenario, photos_per_worker: float) -> Policy:
    """Build KEDA's rule; it is given a fresh count of the whole backlog, which a bounded queue would not show."""
    rule = Stabilized(partial(_backlog_over, scenario, photos_per_worker, inf))
    return Policy(f"KEDA queueLength, {photos_per_worker:g} photos", rule.decide, every_s=30.0, delay_s=15.0)


def beside_policy(scenario: Scenario, backlog: float, queue: float, runway: float = 512.0) -> Policy:
    """Build what infra/k8s makes of it: the largest of the deadline rule, the ledger's backlog and the queue's length.

    Args:
        scenario: what both are made for.
        backlog: photos in the ledger for each worker.
        queue: photos in the broker for each worker.
        runway: photos that the dispatcher keeps in the broker at most.
    """
    deadline = deadline_policy(scenario)
    rules = (
        deadline.decide,
        partial(_backlog_over, scenario, backlog, inf),
        partial(_backlog_over, scenario, queue, runway),
    )
    largest = Stabilized(lambda view: max(rule(view) for rule in rules), stabilization_s=120.0)
    name = f"deadline rule, beside it {backlog:g} of the backlog and {queue:g} of the queue"
    return Policy(name, largest.decide, deadline.every_s, deadline.delay_s)


def _backlog_over(scenario: Scenario, photos_per_worker: float, most_seen: float, view: FleetView) -> int:
    wanted = ceil(min(view.backlog_photos, most_seen) / photos_per_worker)
    return min(max(wanted, scenario.base_workers), scenario.max_workers)


def target_tracking_policy(scenario: Scenario, photos_per_worker: float) -> Policy:
    """Build AWS target tracking on a custom metric of one minute."""
    rule = TargetTracking(photos_per_worker, scenario.base_workers, scenario.max_workers)
    return Policy(f"target tracking, {photos_per_worker:g} photos", rule.decide, every_s=60.0, delay_s=60.0)
