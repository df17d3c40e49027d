"""Rate limits on the wire, and shared by processes over Redis."""

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import replace

from api.dependencies import Services
from facefleet.identity.fleet_rate_limits import FleetRateLimits
from facefleet.identity.opening import open_rate_limits
from facefleet.settings import Settings
from tests.fixtures.processes import free_port
from tests.integration.api import conftest as api_conftest
from tests.integration.identity.conftest import MASTER_SECRET, Guarded


def test_a_key_that_asks_too_often_is_told_when_to_come_back_and_others_are_served(
    open_drawn_services: Callable[..., AbstractContextManager[Services]],
) -> None:
    slow = {"master_secret": MASTER_SECRET, "key_requests_per_s": 0.01, "key_burst_requests": 3}
    with open_drawn_services(**slow) as opened:
        services = replace(opened, keys_are_on=True)
        with api_conftest.serving(services) as http:
            guarded = Guarded(http, services)
            greedy, modest = guarded.key(), guarded.key()
            answers = [guarded.ask("GET", "/v1/albums", greedy) for _ in range(4)]
            assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
            assert answers[-1].json()["type"] == "rate_limited"
            assert 90 <= int(answers[-1].headers["retry-after"]) <= 100
            assert guarded.ask("GET", "/v1/albums", modest).status_code == 200
            # What is refused for another reason does not count.
            assert guarded.ask("GET", "/v1/albums").status_code == 401


def test_processes_share_a_bucket_in_redis(redis_url: str) -> None:
    settings = Settings(_env_file=None, broker_url=redis_url, key_requests_per_s=0.01, key_burst_requests=4)
    with closing(open_rate_limits(settings)) as one, closing(open_rate_limits(settings)) as two:
        assert isinstance(one, FleetRateLimits)
        assert [limits.take("a") for limits in (one, two, one, two)] == [0.0] * 4
        assert 90 < one.take("a") <= 100
        assert 90 < two.take("a") <= 100
        assert two.take("b") == 0.0


def test_limits_are_each_process_own_while_redis_is_away() -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    settings = Settings(_env_file=None, broker_url=url, key_requests_per_s=0.01, key_burst_requests=2)
    with closing(open_rate_limits(settings)) as limits:
        assert [limits.take("a") for _ in range(2)] == [0.0] * 2
        assert limits.take("a") > 90
