from dataclasses import replace

import pytest

from facefleet.capacity.internet import Internet, describe_internet
from facefleet.capacity.planner import PlanRequest, plan_album
from facefleet.capacity.prices import read_prices
from facefleet.errors import InvalidRequest

PRICES = read_prices()
MACHINE = PRICES.instance("c6i.2xlarge")
REQUEST = PlanRequest(photos=10_000, deadline_s=600, instance=replace(MACHINE, photos_per_s=5), seeds=20)


def test_every_price_has_a_date_and_a_warning() -> None:
    assert PRICES.checked
    assert "check" in PRICES.note


def test_an_unknown_machine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidRequest, match=r"m9\.huge is not known; known are c6i\.large"):
        PRICES.instance("m9.huge")


@pytest.mark.parametrize(
    ("images", "usd"), [(0, 0), (10_000, 10), (1_000_000, 1000), (2_000_000, 1800), (40_000_000, 24_200)]
)
def test_rekognition_is_priced_tier_by_tier(images: int, usd: float) -> None:
    assert PRICES.rekognition_usd(images) == pytest.approx(usd)


def test_a_slow_worker_is_joined_by_others_and_the_album_is_in_time() -> None:
    plan = plan_album(REQUEST, PRICES)
    assert 4 <= plan.workers <= plan.workers_most <= 12
    assert plan.missed_share == 0
    assert 400 < plan.seconds <= plan.seconds_p99 <= 600
    # 10,000 photos are 2,000 worker-seconds; boot and idling come on top.
    assert 2000 < plan.elastic_worker_s + plan.base_worker_s < 4000


def test_money_follows_from_worker_seconds_and_prices() -> None:
    plan = plan_album(REQUEST, PRICES)
    elastic = plan.elastic_worker_s / 3600 * MACHINE.usd_per_hour * PRICES.spot_share
    assert plan.usd.album == pytest.approx(elastic + plan.base_worker_s / 3600 * MACHINE.usd_per_hour)
    assert plan.usd.month == pytest.approx(730 * MACHINE.usd_per_hour + 100 * elastic)
    assert plan.usd.rekognition_album == pytest.approx(10 + 30_000 * 0.00001)


def test_one_fast_worker_needs_no_company() -> None:
    plan = plan_album(replace(REQUEST, instance=replace(MACHINE, photos_per_s=100)), PRICES)
    assert (plan.workers_most, plan.elastic_worker_s) == (1, 0)


def test_the_internet_on_paper() -> None:
    node = PRICES.instance("r6i.4xlarge")
    figures = {each.name: each.value for each in describe_internet(MACHINE, node, PRICES, Internet())}
    assert figures["photos, mean"] == pytest.approx(1157.4, abs=0.1)
    assert figures["workers, mean"] == 73
    assert figures["vectors kept"] == 9e9
    assert figures["shards"] == 450
    assert figures["memory, int8"] == pytest.approx(9e9 * 740 / 1e12)
    assert figures["memory, float32"] > 3 * figures["memory, int8"]
    assert figures["Rekognition"] > figures["all of these"]
