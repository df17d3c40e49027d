"""Who follows a job does not notice that its server is started anew."""

import json
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from facefleet.client import Client
from facefleet.client.exchange import HttpAnswer
from facefleet.errors import ServerUnavailable
from tests.unit.client.script import Script, Step


def job(indexed: int, state: str = "running") -> bytes:
    texts = {"job_id": "1", "album": "people", "source": "uploads:", "state": state, "detail": None}
    numbers = {"photos": 3, "indexed": indexed, "dead": 0, "waiting": 3 - indexed, "faces": indexed}
    return json.dumps(texts | numbers | {"seconds": 1.0, "photos_per_second": 1.0, "seconds_left": None}).encode()


BUSY = HttpAnswer(503, b'{"type": "ledger_unavailable", "detail": "gone"}')


def follow(monkeypatch: pytest.MonkeyPatch, script: Script) -> Iterator[int]:
    clock = SimpleNamespace(monotonic=lambda: script.now_s, sleep=script.rest)
    monkeypatch.setattr("facefleet.client.time", clock)
    client = Client("http://faces.example", transport=script, patience_s=2)
    return (each.indexed for each in client.follow_job("1"))


def test_it_is_taken_up_again_after_each_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[Step] = [HttpAnswer(200, job(0)), [job(0), job(1)], None, None, None, [job(1)], None, BUSY, None]
    script = Script(*met, [job(2), job(3, "done")])
    assert list(follow(monkeypatch, script)) == [0, 0, 1, 1, 2, 3]
    assert script.steps == []


def test_where_nothing_of_a_stream_comes_through_the_job_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(*[HttpAnswer(200, job(0)), [], HttpAnswer(200, job(2)), [], HttpAnswer(200, job(3, "done"))])
    assert list(follow(monkeypatch, script)) == [0, 2, 3]
    assert script.steps == []


def test_a_server_that_stays_away_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(HttpAnswer(200, job(0)), [job(1)], *[None] * 9)
    steps = follow(monkeypatch, script)
    assert [next(steps), next(steps)] == [0, 1]
    with pytest.raises(ServerUnavailable):
        next(steps)
    assert script.now_s == 2


def test_a_server_that_was_never_there_is_said_so_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(None)
    with pytest.raises(ServerUnavailable):
        next(follow(monkeypatch, script))
    assert script.now_s == 0
