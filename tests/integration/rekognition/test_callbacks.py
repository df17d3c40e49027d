"""Images by address and callbacks, against a receiver with a certificate."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from api.dependencies import Services
from facefleet.errors import PhotoTooLarge
from facefleet.ledger.collection_schema import callback
from facefleet.ledger.engine import Ledger, open_ledger
from facefleet.outbound import AddressRefused, OutboundFailed
from tests.integration.api.conftest import serving
from tests.integration.rekognition.tls_receiver import Receiver, receiving
from workers.dispatcher.callbacks import CallbackSender, read_secret, sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving(tmp_path, monkeypatch) as opened:
        yield opened


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")
    yield opened
    opened.close()


def make_due(ledger: Ledger) -> None:
    with ledger.database.writing() as connection:
        connection.execute(callback.update().values(next_attempt_at=callback.c.created_at))


def test_what_is_fetched_may_move_but_not_home(receiver: Receiver) -> None:
    receiver.answers = {
        "/a.jpg": (200, {}, b"people 1"),
        "/moved": (302, {"Location": "/a.jpg"}, b""),
        "/home": (302, {"Location": "https://169.254.169.254/latest/meta-data/"}, b""),
        "/plain": (302, {"Location": "http://receiver.test/a.jpg"}, b""),
        "/loop": (302, {"Location": "/loop"}, b""),
        "/large": (200, {}, b"x" * 1001),
        "/slow": (200, {}, b"x" * 100),
    }
    get = receiver.outbound().get
    assert asyncio.run(get(f"{receiver.url}/a.jpg")) == b"people 1"
    assert receiver.received[0][1]["host"] == receiver.url.removeprefix("https://")
    assert asyncio.run(get(f"{receiver.url}/moved")) == b"people 1"
    for path, error in (
        ("/home", AddressRefused),
        ("/plain", AddressRefused),
        ("/loop", OutboundFailed),
        ("/missing", OutboundFailed),
        ("/large", PhotoTooLarge),
    ):
        with pytest.raises(error):
            asyncio.run(get(f"{receiver.url}{path}"))
    with pytest.raises(OutboundFailed, match="within"):
        asyncio.run(receiver.outbound(timeout_s=0.5).get(f"{receiver.url}/slow"))


def test_a_certificate_of_another_name_is_not_believed(receiver: Receiver) -> None:
    with pytest.raises(OutboundFailed, match=r"certificate|CERTIFICATE"):
        asyncio.run(receiver.outbound().get(receiver.url.replace("receiver.test", "127.0.0.1")))


def test_a_signature_is_that_of_the_specification(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of the Standard Webhooks and Svix documentation."""
    monkeypatch.setattr(time, "time", lambda: 1614265330.0)
    headers = sign(read_secret(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"


def test_a_callback_is_sent_until_it_is_taken(receiver: Receiver, ledger: Ledger) -> None:
    sender = CallbackSender(ledger, receiver.outbound(), read_secret(SECRET))
    message_id = ledger.callbacks.add("default", f"{receiver.url}/hook", '{"faces": []}')
    receiver.answers["/hook"] = (500, {}, b"")
    sender.step()
    sender.step()
    assert len(receiver.received) == 1  # the second attempt is not due
    receiver.answers["/hook"] = (204, {}, b"")
    make_due(ledger)
    sender.step()
    make_due(ledger)
    sender.step()
    (_, first, _), (path, second, body) = receiver.received
    assert (path, body) == ("/hook", b'{"faces": []}')
    assert first["webhook-id"] == second["webhook-id"] == str(message_id)
    assert abs(int(second["webhook-timestamp"]) - time.time()) < 300
    with ledger.database.reading() as connection:
        assert connection.execute(callback.select()).all() == []


def test_a_callback_that_nobody_takes_ends_on_the_dead_list_without_its_content(
    receiver: Receiver, ledger: Ledger
) -> None:
    sender = CallbackSender(ledger, receiver.outbound(), b"secret")
    receiver.answers = {"/hook": (500, {}, b""), "/gone": (410, {}, b"")}
    for url in (f"{receiver.url}/hook", f"{receiver.url}/gone", "https://10.0.0.1/", "http://receiver.test/"):
        ledger.callbacks.add("default", url, "templates")
    for _ in range(9):
        make_due(ledger)
        sender.step()
    assert len([path for path, _, _ in receiver.received if path == "/hook"]) == 8
    dead = {each.url.rpartition("/")[2] or each.url: each for each in ledger.callbacks.list_dead("default", 10)}
    assert (dead["hook"].attempt, dead["gone"].attempt) == (8, 1)
    assert dead["hook"].detail == "the answer was 500"
    assert "public address" in dead["https://10.0.0.1/"].detail
    assert ledger.callbacks.list_dead("other", 10) == []
    with ledger.database.reading() as connection:
        assert {row.body for row in connection.execute(callback.select())} == {""}


def test_an_image_is_processed_by_its_address(
    receiver: Receiver,
    open_drawn_services: Callable[..., AbstractContextManager[Services]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receiver.answers = {"/a.jpg": (200, {}, b"people 1 2"), "/hook": (200, {}, b"")}
    wanted = {"job_id": "j", "media_id": "m", "event_id": "e", "media_url": f"{receiver.url}/a.jpg"}
    with open_drawn_services() as services, serving(services) as http:
        assert http.post("/process", json=wanted).json()["type"] == "media_urls_off"
    monkeypatch.setattr("facefleet.outbound.Outbound", receiver.outbound)
    with open_drawn_services(media_urls=True) as services, serving(services) as http:
        called_back = {**wanted, "callback_url": f"{receiver.url}/hook"}
        assert http.post("/process", json=called_back).json()["type"] == "callbacks_off"
        assert http.post("/process", json={**wanted, "media_url": "https://10.0.0.1/"}).status_code == 400
    with open_drawn_services(media_urls=True, callback_secret=SECRET) as services, serving(services) as http:
        answer = http.post("/process", json=called_back).json()
        assert (answer["job_id"], answer["media_id"], answer["event_id"]) == ("j", "m", "e")
        assert len(answer["faces"]) == 2
        face = answer["faces"][1]
        assert face["bounding_box"] == {"x": 0.1, "y": 0.1, "width": 0.1, "height": 0.25}
        assert len(face["embedding"]) == 64
        assert face["quality_score"] == 0.9
        CallbackSender(services.ledger, receiver.outbound(), read_secret(SECRET)).step()
        assert json.loads(receiver.received[-1][2]) == answer
        assert http.get("/v1/callbacks/dead").json() == {"callbacks": []}
