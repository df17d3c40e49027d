from threading import Event
from unittest.mock import Mock

import pytest

import workers.draining
from facefleet.errors import LedgerUnavailable
from workers.draining import bounded_drain, release


class Exits:
    """Takes the place of `os._exit`."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.called = Event()

    def __call__(self, status: int) -> None:
        self.statuses.append(status)
        self.called.set()


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> Exits:
    stand_in = Exits()
    monkeypatch.setattr(workers.draining.os, "_exit", stand_in)
    return stand_in


def test_when_the_time_is_over_what_is_held_goes_back_and_the_process_ends(exits: Exits) -> None:
    leases, stopping, photo = Mock(), Event(), Mock()
    with bounded_drain(leases, lambda: [photo], stopping, 0.05, lambda: 7):
        stopping.set()
        assert exits.called.wait(10)
    leases.release.assert_called_once_with(photo, 0, burn_attempt=False)
    assert exits.statuses == [7]


def test_who_is_done_in_time_ends_by_itself(exits: Exits) -> None:
    leases, stopping = Mock(), Event()
    with bounded_drain(leases, lambda: [Mock()], stopping, 0.2, lambda: 7):
        stopping.set()
    assert not exits.called.wait(0.5)
    leases.release.assert_not_called()


def test_a_ledger_that_is_away_does_not_keep_the_process(exits: Exits) -> None:
    leases, stopping = Mock(release=Mock(side_effect=LedgerUnavailable("down"))), Event()
    with bounded_drain(leases, lambda: [Mock(), Mock()], stopping, 0.05, lambda: 0):
        stopping.set()
        assert exits.called.wait(10)


def test_every_photo_goes_back() -> None:
    leases = Mock()
    release(leases, [Mock(), Mock(), Mock()])
    assert leases.release.call_count == 3
