from dataclasses import replace
from statistics import fmean

import pytest

from facefleet.capacity.clairvoyant import cheapest_worker_seconds
from facefleet.capacity.controller import FleetView
from facefleet.capacity.deadline_rule import AlbumLoad
from facefleet.capacity.policies import deadline_policy, keda_policy, target_tracking_policy
from facefleet.capacity.scenario import AlbumDraw, PhotoKind, Piece, Scenario, World, draw_world
from facefleet.capacity.simulation import Policy, simulate

#: Nothing is left to chance.
CALM = Scenario(
    photo_mix=(PhotoKind(1, 1),),
    section_sigma=0,
    duplicate_share=0,
    worker_sigma=0,
    boot_sigma=0,
    spot_losses_per_hour=0,
    photos_in_hand=10,
)
SHORT = replace(Scenario(), arrivals_s=900)


def world_of(scenario: Scenario, *albums: tuple[float, int]) -> World:
    draws = [AlbumDraw(at_s, photos, (Piece(10, 10.0),) * (photos // 10)) for at_s, photos in albums]
    return World(scenario, 0, tuple(draws))


def constant(workers: int, delay_s: float = 0) -> Policy:
    return Policy("constant", lambda _: workers, every_s=10, delay_s=delay_s)


def test_one_worker_takes_what_arithmetic_says() -> None:
    result = simulate(world_of(CALM, (0, 4000)), constant(1))
    assert result.durations_s == pytest.approx((200,))
    assert (result.elastic_worker_s, result.launches, result.missed) == (0, 0, 0)


def test_a_second_worker_helps_after_its_boot_and_is_paid_for_from_its_request() -> None:
    result = simulate(world_of(CALM, (0, 8000)), constant(2))
    # One alone for 160 s, then two: 3200 + 2 x 20 x 120 photos.
    assert result.durations_s == pytest.approx((280,))
    assert result.elastic_worker_s == pytest.approx(280, abs=10)


def test_an_album_late_by_a_second_is_counted() -> None:
    scenario = replace(CALM, deadline_s=199)
    assert simulate(world_of(scenario, (0, 4000)), constant(1)).missed == 1


def test_most_messages_go_to_the_album_due_first_and_some_in_turn() -> None:
    in_turns = simulate(world_of(replace(CALM, turn_every=1), (0, 4000), (100, 4000)), constant(1))
    by_deadline = simulate(world_of(CALM, (0, 4000), (100, 4000)), constant(1))
    assert by_deadline.durations_s[0] < in_turns.durations_s[0]
    assert by_deadline.durations_s[0] > 200


def test_photos_of_a_worker_that_dies_come_back_after_the_lease() -> None:
    scenario = replace(CALM, base_workers=0, spot_losses_per_hour=3600 / 100, sudden_share=1.0, notice_s=0)
    calm = simulate(world_of(replace(scenario, spot_losses_per_hour=0), (0, 8000)), constant(3))
    lossy = simulate(world_of(scenario, (0, 8000)), constant(3))
    assert lossy.launches > calm.launches == 3
    assert lossy.durations_s[0] > calm.durations_s[0]


def test_workers_under_notice_finish_what_they_hold() -> None:
    scenario = replace(CALM, base_workers=0, spot_losses_per_hour=3600 / 300, sudden_share=0.0)
    assert len(simulate(world_of(scenario, (0, 8000), (50, 2000)), constant(3)).durations_s) == 2


def test_same_seed_same_run() -> None:
    first, second = (simulate(draw_world(SHORT, 5), deadline_policy(SHORT)) for _ in range(2))
    assert first == second
    assert first != simulate(draw_world(SHORT, 6), deadline_policy(SHORT))


def test_the_mean_photo_costs_one() -> None:
    scenario = replace(Scenario(), duplicate_share=0, section_sigma=0)
    albums = [album for seed in range(20) for album in draw_world(scenario, seed).albums]
    assert fmean(album.work / album.photos for album in albums) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("seed", range(4))
def test_nobody_is_cheaper_than_the_clairvoyant(seed: int) -> None:
    world = draw_world(SHORT, seed)
    result = simulate(world, deadline_policy(SHORT))
    if not result.missed:
        assert cheapest_worker_seconds(world) <= result.elastic_worker_s + 30


def test_the_clairvoyant_asks_for_nobody_when_the_base_is_enough() -> None:
    assert cheapest_worker_seconds(world_of(CALM, (0, 8000), (900, 8000))) == 0


def test_the_clairvoyant_pays_boot_and_work_when_it_is_not() -> None:
    # Due at 600 s: 15,000 photos, of which the base does 12,000; one more worker for 150 s, and its 160 s of boot.
    assert cheapest_worker_seconds(world_of(CALM, (0, 15_000))) == pytest.approx(310, abs=31)


def test_deadline_rule_meets_deadlines_for_less_than_a_queue_length() -> None:
    ours, keda = (
        [simulate(draw_world(SHORT, seed), build(SHORT)) for seed in range(6)]
        for build in (deadline_policy, lambda scenario: keda_policy(scenario, 800))
    )
    assert sum(run.missed for run in ours) == 0
    assert sum(run.elastic_worker_s for run in ours) < 0.5 * sum(run.elastic_worker_s for run in keda)


def test_queue_length_holds_on_for_five_minutes() -> None:
    decide = keda_policy(Scenario(), 100).decide
    assert decide(_view(0, 1000)) == 10
    assert decide(_view(290, 0)) == 10
    assert decide(_view(301, 0)) == 1


def test_target_tracking_waits_for_three_data_points() -> None:
    decide = target_tracking_policy(Scenario(), 100).decide
    assert [decide(_view(60.0 * minute, 1000)) for minute in range(3)] == [1, 1, 10]


def _view(now_s: float, photos: int) -> FleetView:
    return FleetView(now_s, (AlbumLoad(photos, 600),) if photos else (), 1, 0)
