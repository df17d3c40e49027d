import pytest

from workers.indexing import backoff_s


@pytest.mark.parametrize(("attempt", "expected_s"), [(0, 2), (1, 2), (2, 4), (3, 8), (9, 300), (5_000, 300)])
def test_backoff_doubles_up_to_five_minutes(attempt: int, expected_s: float) -> None:
    assert backoff_s(2, attempt) == expected_s
