from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, current_thread, main_thread

import pytest

from facefleet.errors import LedgerUnavailable
from facefleet.ledger.group_commit import GroupCommit
from tests.fixtures.processes import wait_until

PATIENCE_S = 30.0


class Disk:
    """Writes as fast as the test lets it."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.is_slow, self.goes_on = Event(), Event()
        self.error: Exception | None = None

    def write(self, items: Sequence[int]) -> None:
        self.batches.append(list(items))
        if self.error:
            raise self.error
        if self.is_slow.is_set():
            assert self.goes_on.wait(PATIENCE_S)


def test_who_is_alone_writes_at_once() -> None:
    disk = Disk()
    commits = GroupCommit(disk.write)
    commits.submit(1, PATIENCE_S)
    commits.submit(2, PATIENCE_S)
    assert disk.batches == [[1], [2]]


def test_who_comes_meanwhile_is_written_together_in_order() -> None:
    disk = Disk()
    commits = GroupCommit(disk.write)
    disk.is_slow.set()
    with ThreadPoolExecutor(10) as pool:
        pool.submit(commits.submit, 0, PATIENCE_S)
        wait_until(lambda: len(disk.batches) == 1, "the first is being written")
        for number in range(1, 9):
            pool.submit(commits.submit, number, PATIENCE_S)
            wait_until(lambda number=number: len(commits._line) == number, "it stands in the line")
        disk.goes_on.set()
    assert disk.batches == [[0], [1, 2, 3, 4, 5, 6, 7, 8]]


def test_everybody_of_a_batch_is_told_that_it_failed_and_the_next_one_is_not() -> None:
    disk = Disk()
    commits = GroupCommit(disk.write)
    disk.error = KeyError("full")
    with ThreadPoolExecutor(10) as pool:
        failed = [pool.submit(commits.submit, number, PATIENCE_S) for number in range(30)]
    assert all(isinstance(each.exception(), KeyError) for each in failed)
    disk.error = None
    commits.submit(1, PATIENCE_S)


def test_nobody_waits_for_ever_and_who_leaves_is_not_called() -> None:
    disk = Disk()
    commits = GroupCommit(disk.write)
    disk.is_slow.set()
    with ThreadPoolExecutor(10) as pool:
        pool.submit(commits.submit, 0, PATIENCE_S)
        wait_until(lambda: len(disk.batches) == 1, "the first is being written")
        with pytest.raises(LedgerUnavailable):
            commits.submit(1, 0.01)
        disk.goes_on.set()
    commits.submit(2, PATIENCE_S)
    assert disk.batches == [[0], [2]]


@pytest.mark.parametrize("is_called_before", [False, True])
def test_who_is_interrupted_while_waiting_leaves_the_line(
    monkeypatch: pytest.MonkeyPatch, *, is_called_before: bool
) -> None:
    disk = Disk()
    commits = GroupCommit(disk.write)
    disk.is_slow.set()
    wait = Event.wait

    def interrupt(self: Event, timeout: float | None = None) -> bool:
        if current_thread() is not main_thread():
            return wait(self, timeout)
        disk.goes_on.set()
        assert not is_called_before or wait(self, timeout)
        raise KeyboardInterrupt

    with ThreadPoolExecutor(10) as pool:
        pool.submit(commits.submit, 0, PATIENCE_S)
        wait_until(lambda: len(disk.batches) == 1, "the first is being written")
        with monkeypatch.context() as patched:
            patched.setattr(Event, "wait", interrupt)
            with pytest.raises(KeyboardInterrupt):
                commits.submit(1, PATIENCE_S)
    commits.submit(2, PATIENCE_S)
    assert disk.batches == [[0], [2]]
