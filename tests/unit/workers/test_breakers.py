from threading import Event

import pytest

from facefleet.errors import GalleryUnavailable, PhotoStoreUnavailable, RecognizerUnavailable
from facefleet.metrics import Metrics
from workers.breakers import Breaker, create_breakers


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("gallery", Metrics().breaker_open.labels("gallery"), clock)


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.note_failure()


def test_a_hiccup_pauses_nothing(breaker: Breaker) -> None:
    fail(breaker, 4)
    breaker.note_success()
    fail(breaker, 4)
    assert not breaker.is_open
    assert breaker.seconds_to_wait() == 0


def test_open_lets_one_caller_try_after_each_pause_and_the_pauses_grow(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    assert breaker.seconds_to_wait() == 1
    clock.now_s += 1
    assert breaker.seconds_to_wait() == 0
    assert breaker.seconds_to_wait() == 2
    fail(breaker, 1)
    clock.now_s += 2
    assert breaker.seconds_to_wait() == 0
    assert breaker.seconds_to_wait() == 4


def test_pauses_end_at_half_a_minute(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    for _ in range(20):
        clock.now_s += breaker.seconds_to_wait()
    assert breaker.seconds_to_wait() <= 30


def test_one_success_closes_it(breaker: Breaker) -> None:
    fail(breaker, 9)
    breaker.note_success()
    assert not breaker.is_open
    assert breaker.seconds_to_wait() == 0


def test_errors_count_against_the_dependency_they_speak_of() -> None:
    metrics = Metrics()
    breakers = create_breakers(metrics)
    for _ in range(5):
        breakers.note_failure(PhotoStoreUnavailable("down"))
        breakers.note_failure(RecognizerUnavailable("nonsense"))
    assert (breakers.photo_store.is_open, breakers.gallery.is_open) == (True, False)
    assert b'facefleet_breaker_open{dependency="photo_store"} 1.0' in metrics.exposition()
    breakers.note_failure(GalleryUnavailable("down"))
    assert breakers.any_open


def test_a_process_that_is_to_end_waits_for_nobody() -> None:
    breakers, stopping = create_breakers(Metrics()), Event()
    for _ in range(5):
        breakers.note_failure(GalleryUnavailable("down"))
    stopping.set()
    breakers.wait(stopping)
