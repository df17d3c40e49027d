from dataclasses import dataclass, field
from typing import Any
from unittest.mock import Mock

import pytest

from facefleet.errors import BrokerUnavailable, GalleryUnavailable, LedgerUnavailable
from facefleet.failpoints import Failpoints
from facefleet.metrics import Metrics
from facefleet.settings import Settings
from workers.breakers import create_breakers
from workers.lease_keeper import LeaseKeeper
from workers.safeguards import Safeguards
from workers.watchdog import Watchdog, watches

LIMIT_S = 60


@dataclass
class Scene:
    now_s: float = 1000
    leases: Mock = field(default_factory=lambda: Mock(runway=Mock(return_value=8)))
    check_broker: Mock = field(default_factory=Mock)
    reasons: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        def clock() -> float:
            return self.now_s

        keeper = LeaseKeeper(self.leases, 120, 600, clock, last_message_s=self.now_s)
        self.guards = Safeguards(keeper, create_breakers(Metrics()), Failpoints())
        settings = Settings(watchdog_s=LIMIT_S)
        arguments: Any = (settings, self.leases, self.guards, self.check_broker, self.reasons.append, clock, self.now_s)
        self.watchdog = Watchdog(*arguments)

    def pass_time(self, seconds: int) -> None:
        for _ in range(seconds // 10):
            self.now_s += 10
            self.watchdog.look()


def test_a_worker_that_gets_nothing_although_work_is_on_its_way_gives_up() -> None:
    scene = Scene()
    scene.pass_time(LIMIT_S)
    assert scene.reasons == []
    scene.pass_time(10)
    assert len(scene.reasons) == 1


def test_a_message_is_a_sign_of_life_even_when_nothing_in_it_was_due() -> None:
    scene = Scene()
    for _ in range(5):
        scene.pass_time(LIMIT_S)
        with scene.guards.keeper.hold([]):
            pass
    assert scene.reasons == []


@pytest.mark.parametrize("reason", ["nothing to do", "broker down", "ledger down", "gallery down", "busy"])
def test_idle_for_a_reason_is_no_stall(reason: str) -> None:
    scene = Scene()
    if reason == "nothing to do":
        scene.leases.runway.return_value = 0
    elif reason == "broker down":
        scene.check_broker.side_effect = BrokerUnavailable("down")
    elif reason == "ledger down":
        scene.leases.runway.side_effect = LedgerUnavailable("down")
    elif reason == "gallery down":
        for _ in range(5):
            scene.guards.breakers.note_failure(GalleryUnavailable("down"))
    with scene.guards.keeper.hold([Mock()] if reason == "busy" else []):
        scene.pass_time(5 * LIMIT_S)
    assert scene.reasons == []


def test_the_limit_begins_anew_when_a_dependency_comes_back() -> None:
    scene = Scene()
    scene.check_broker.side_effect = BrokerUnavailable("down")
    scene.pass_time(5 * LIMIT_S)
    scene.check_broker.side_effect = None
    scene.pass_time(LIMIT_S)
    assert scene.reasons == []
    scene.pass_time(10)
    assert scene.reasons


def test_a_photo_that_never_ends_is_not_kept_and_ends_the_worker() -> None:
    scene = Scene()
    with scene.guards.keeper.hold([Mock()]):
        scene.pass_time(600)
        scene.guards.keeper.renew()
        assert scene.leases.renew.call_count == 1
        assert scene.reasons == []
        scene.pass_time(10)
        scene.guards.keeper.renew()
        assert scene.leases.renew.call_count == 1
        assert len(scene.reasons) == 1


@pytest.mark.parametrize(("lanes", "expected"), [("interactive,index", True), ("index", False), ("people", False)])
def test_only_who_consumes_every_photo_is_watched(lanes: str, expected: bool) -> None:
    assert watches(Settings(worker_lanes=lanes)) is expected
    assert not watches(Settings(worker_lanes=lanes, watchdog_s=0))
