"""Nobody is beside a suspect."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event, Thread

from tests.fixtures.processes import wait_until
from workers.solitude import Solitude


class Worker:
    """A thread that stays at work until it is let go."""

    def __init__(self, place: Callable[[], AbstractContextManager[None]]) -> None:
        self.entered, self.let_go = Event(), Event()
        self._thread = Thread(target=self._work, args=(place,), daemon=True)
        self._thread.start()

    def _work(self, place: Callable[[], AbstractContextManager[None]]) -> None:
        with place():
            self.entered.set()
            self.let_go.wait(10)

    def end(self) -> None:
        self.let_go.set()
        self._thread.join(10)


def test_a_suspect_waits_for_the_others_and_they_for_it() -> None:
    solitude = Solitude()
    first, second = Worker(solitude.among_others), Worker(solitude.among_others)
    assert first.entered.wait(10)
    assert second.entered.wait(10)
    suspect = Worker(solitude.alone)
    wait_until(lambda: solitude._wanting_to_be_alone == 1, "the suspect waits")
    late, other_suspect = Worker(solitude.among_others), Worker(solitude.alone)
    wait_until(lambda: solitude._wanting_to_be_alone == 2, "so does another one")
    first.end()
    assert not suspect.entered.wait(0.05)
    second.end()
    wait_until(lambda: suspect.entered.is_set() or other_suspect.entered.is_set(), "one is alone")
    earlier, later = (suspect, other_suspect) if suspect.entered.is_set() else (other_suspect, suspect)
    assert not later.entered.wait(0.05)
    assert not late.entered.is_set()
    earlier.end()
    assert later.entered.wait(10)
    assert not late.entered.is_set()
    later.end()
    assert late.entered.wait(10)
    late.end()
