"""What a busy server refuses is asked again, when and for as long as it makes sense."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from facefleet.client import Client
from facefleet.client.exchange import HttpAnswer
from facefleet.errors import FacefleetError, LedgerUnavailable, Overloaded, RateLimited
from tests.unit.client.script import Script

BUSY = HttpAnswer(503, b'{"type": "overloaded", "detail": "full"}', 7.0)
TOO_OFTEN = HttpAnswer(429, b'{"type": "rate_limited", "detail": "slower"}', 7.0)
AWAY = HttpAnswer(503, b'{"type": "ledger_unavailable", "detail": "gone"}', 7.0)
DONE = HttpAnswer(200, b'{"albums": [], "width": 1, "height": 1, "faces": [], "notice": null}')


Ask = Callable[[Client], object]


def read(client: Client) -> object:
    return client.albums()


def search(client: Client) -> object:
    return client.search("people", b"an image").faces


def change(client: Client) -> object:
    return client.post_json("albums", name="people")


def ask(monkeypatch: pytest.MonkeyPatch, script: Script, question: Ask, patience_s: float = 20) -> object:
    clock = SimpleNamespace(monotonic=lambda: script.now_s, sleep=script.rest)
    monkeypatch.setattr("facefleet.client.resources.time", clock)
    return question(Client("http://faces.example", transport=script, patience_s=patience_s))


@pytest.mark.parametrize(
    ("refusal", "question"), [(BUSY, read), (BUSY, search), (BUSY, change), (TOO_OFTEN, change), (AWAY, read)]
)
def test_it_comes_back_when_the_server_says(
    monkeypatch: pytest.MonkeyPatch, refusal: HttpAnswer, question: Ask
) -> None:
    script = Script(refusal, refusal, DONE)
    ask(monkeypatch, script, question)
    assert (script.now_s, script.steps) == (14, [])


def test_at_once_is_not_as_fast_as_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(BUSY._replace(retry_after_s=0.0), DONE)
    ask(monkeypatch, script, read)
    assert script.now_s == 0.1


@pytest.mark.parametrize(
    ("refusal", "question", "patience_s", "kind", "rested_s"),
    [
        (BUSY, search, 20, Overloaded, 14),
        (TOO_OFTEN, read, 0, RateLimited, 0),
        (AWAY, change, 20, LedgerUnavailable, 0),
        (BUSY._replace(retry_after_s=None), read, 20, Overloaded, 0),
    ],
)
def test_it_gives_up(
    monkeypatch: pytest.MonkeyPatch,
    refusal: HttpAnswer,
    question: Ask,
    patience_s: float,
    kind: type[FacefleetError],
    rested_s: float,
) -> None:
    script = Script(*[refusal] * 9)
    with pytest.raises(kind) as given_up:
        ask(monkeypatch, script, question, patience_s)
    assert script.now_s == rested_s
    if isinstance(given_up.value, Overloaded) and refusal.retry_after_s:
        assert given_up.value.retry_after_s == refusal.retry_after_s
