import pytest

from facefleet.capacity.controller import DeadlineController, FleetView, RateMeter
from facefleet.capacity.deadline_rule import AlbumLoad, DeadlineTerms

TERMS = DeadlineTerms()


def view_of(now_s: float, photos: int, running: int, done: int = 0) -> FleetView:
    loads = (AlbumLoad(photos, 600 - now_s),) if photos else ()
    return FleetView(now_s, loads, running, done)


def test_rate_follows_what_is_measured() -> None:
    meter = RateMeter(20)
    for _ in range(200):
        meter.add(photos=150, worker_s=30)
    assert meter.photos_per_s == pytest.approx(5, rel=0.05)


def test_one_odd_measurement_does_not_turn_the_rate() -> None:
    meter = RateMeter(20)
    meter.add(photos=0, worker_s=15)
    assert meter.photos_per_s == pytest.approx(20, rel=0.06)


def test_time_without_workers_is_no_measurement() -> None:
    meter = RateMeter(20)
    meter.add(photos=0, worker_s=0)
    assert meter.photos_per_s == 20


def test_workers_on_their_way_are_not_asked_for_again() -> None:
    controller = DeadlineController(TERMS, RateMeter(5))
    first = controller.decide(view_of(0, 9000, running=1))
    assert first > 1
    for tick in range(1, 8):
        now_s = 15.0 * tick
        assert controller.decide(view_of(now_s, 9000 - round(5 * now_s), running=1, done=round(5 * now_s))) == first


def test_workers_that_vanish_are_missed() -> None:
    controller = DeadlineController(TERMS, RateMeter(5))
    assert controller.decide(view_of(0, 14_000, running=6)) == 6
    assert controller.decide(view_of(15, 13_600, running=3, done=400)) > 6


def test_a_worker_is_let_go_after_a_while_not_at_once() -> None:
    controller = DeadlineController(TERMS, RateMeter(20))
    wanted = controller.decide(view_of(0, 60_000, running=3))
    assert wanted > 3
    assert controller.decide(view_of(15, 0, running=0)) == wanted
    assert controller.decide(view_of(90, 0, running=0)) == TERMS.min_workers
