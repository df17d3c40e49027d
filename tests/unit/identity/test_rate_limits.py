"""Buckets of one process, on a clock of the test's own."""

from hypothesis import given
from hypothesis import strategies as st

from facefleet.identity.rate_limits import Allowance, ProcessRateLimits


def test_a_burst_is_taken_and_then_one_request_for_each_token() -> None:
    now = 100.0
    limits = ProcessRateLimits(Allowance(per_s=10, burst=5), clock=lambda: now)
    assert [limits.take("a") for _ in range(5)] == [0.0] * 5
    wait_s = limits.take("a")
    assert 0.09 < wait_s <= 0.1
    assert limits.take("b") == 0.0
    now += wait_s
    assert limits.take("a") == 0.0
    assert limits.take("a") > 0


@given(st.lists(st.floats(0, 2), max_size=200), st.integers(1, 20), st.integers(1, 50))
def test_no_key_gets_more_than_its_burst_and_its_rate(pauses: list[float], burst: int, per_s: int) -> None:
    now = 0.0
    limits = ProcessRateLimits(Allowance(per_s, burst), clock=lambda: now)
    taken = 0
    for pause in pauses:
        now += pause
        taken += limits.take("a") == 0.0
        assert taken <= burst + now * per_s + 1e-6
