from dataclasses import replace
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from facefleet.capacity.deadline_rule import AlbumLoad, DeadlineTerms, FleetState, workers_wanted

TERMS = DeadlineTerms(max_workers=10_000)
albums = st.lists(st.builds(AlbumLoad, st.integers(0, 50_000), st.floats(-600, 600)), max_size=6)
rates = st.floats(0.5, 100)
fleets = st.builds(FleetState, st.integers(0, 30), st.lists(st.floats(15, 175), max_size=10).map(tuple))


@given(st.integers(1, 100_000), rates, st.integers(1, 20))
def test_a_fresh_album_gets_what_the_formula_says(photos: int, photos_per_s: float, running: int) -> None:
    seconds = 0.9 * 600 - 15
    lacking = photos - running * photos_per_s * seconds
    wanted = workers_wanted([AlbumLoad(photos, 600)], photos_per_s, FleetState(running), TERMS)
    if lacking > 0:
        assert wanted == min(running + ceil(lacking / (photos_per_s * (seconds - 175))), 10_000)
    else:
        assert wanted <= running


@given(albums, rates, fleets)
def test_bounds_hold_whatever_is_left(loads: list[AlbumLoad], photos_per_s: float, fleet: FleetState) -> None:
    assert 2 <= workers_wanted(loads, photos_per_s, fleet, DeadlineTerms(min_workers=2, max_workers=9)) <= 9


@given(albums, rates, fleets, st.integers(1, 20_000))
def test_more_photos_never_ask_for_fewer(
    loads: list[AlbumLoad], photos_per_s: float, fleet: FleetState, more: int
) -> None:
    grown = [replace(each, photos=each.photos + more) for each in loads if each.photos]
    before = workers_wanted([each for each in loads if each.photos], photos_per_s, fleet, TERMS)
    assert workers_wanted(grown, photos_per_s, fleet, TERMS) >= before


@given(st.lists(st.builds(AlbumLoad, st.integers(1, 20_000), st.floats(300, 600)), min_size=1, max_size=4), rates)
def test_what_is_asked_for_is_enough(loads: list[AlbumLoad], photos_per_s: float) -> None:
    """Albums served one after the other, as most messages are, by workers that start when they should."""
    running = 2
    wanted = workers_wanted(loads, photos_per_s, FleetState(running), TERMS)
    kept, new = min(wanted, running), max(wanted - running, 0)
    photos = 0
    for load in sorted(loads, key=lambda each: each.seconds_left):
        photos += load.photos
        worker_s = kept * load.seconds_left + new * max(load.seconds_left - TERMS.start_s, 0)
        assert photos <= photos_per_s * worker_s


@given(albums, rates, fleets)
def test_asking_again_at_once_asks_for_no_more(loads: list[AlbumLoad], photos_per_s: float, fleet: FleetState) -> None:
    wanted = workers_wanted(loads, photos_per_s, fleet, TERMS)
    asked = wanted - fleet.workers
    if asked > 0:
        grown = FleetState(fleet.running, (*fleet.starting_s, *[TERMS.start_s] * asked))
        assert workers_wanted(loads, photos_per_s, grown, TERMS) <= wanted + 1


def test_nobody_is_wanted_for_nothing() -> None:
    assert workers_wanted([], 20, FleetState(7), DeadlineTerms(min_workers=1)) == 1
    assert workers_wanted([AlbumLoad(0, 300)], 20, FleetState(7), DeadlineTerms(min_workers=0)) == 0


def test_workers_that_start_last_go_first() -> None:
    fleet = FleetState(running=1, starting_s=(20, 160))
    assert workers_wanted([AlbumLoad(5500, 300)], 20, fleet, TERMS) == 2


def test_an_album_is_served_in_turns_with_others_when_the_relay_says_so() -> None:
    fleet, pair = FleetState(2), [AlbumLoad(6000, 300), AlbumLoad(6000, 600)]
    by_deadline = workers_wanted(pair, 20, fleet, TERMS)
    in_turns = workers_wanted(pair, 20, fleet, replace(TERMS, turn_every=1))
    assert in_turns > by_deadline


def test_an_overdue_album_keeps_the_fleet_as_it_is() -> None:
    assert workers_wanted([AlbumLoad(100, -50)], 20, FleetState(5), TERMS) == 5
