"""Bucket notifications over HTTP, on a real socket with a real ledger."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx
import pytest

from api.dependencies import Services
from tests.integration.api.conftest import open_drawn_services, serving  # noqa: F401  a fixture
from tests.integration.events.conftest import created, notification, removed, versions

SECRET = "correct horse"
BODY = notification(created("albums/party/a.jpg", 1))


def signature(body: str, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
    return {"X-Facefleet-Signature": f"sha256={digest}"}


@pytest.fixture
def services(
    open_drawn_services: Callable[..., AbstractContextManager[Services]],  # noqa: F811  the fixture of that name
) -> Iterator[Services]:
    with open_drawn_services(s3_events_secret=SECRET, s3_events_buckets="photos") as opened:
        yield opened


@pytest.fixture
def client(services: Services) -> Iterator[httpx.Client]:
    with serving(services) as opened:
        yield opened


@pytest.mark.parametrize(
    "headers",
    [
        signature(BODY),
        {"Authorization": f"Bearer {SECRET}"},
        {"Authorization": SECRET},  # as MinIO sends an auth_token of one word
        {"Authorization": f"Basic {base64.b64encode(f'events:{SECRET}'.encode()).decode()}"},  # as a URL has it
    ],
)
def test_who_knows_the_secret_is_heard(client: httpx.Client, services: Services, headers: dict[str, str]) -> None:
    answer = client.post("/v1/events/s3", content=BODY, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"events": 1, "rejected": 0, "new_photos": 1})
    assert versions(services.ledger, "party") == {"a.jpg v1": "pending"}
    client.post(
        "/v1/events/s3",
        content=notification(removed("albums/party/a.jpg", 2)),
        headers=signature(notification(removed("albums/party/a.jpg", 2))),
    ).raise_for_status()
    assert versions(services.ledger, "party") == {}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signature(BODY, "wrong horse"),
        signature(BODY + " "),
        {"X-Facefleet-Signature": "sha256="},
        {"X-Facefleet-Signature": signature(BODY)["X-Facefleet-Signature"].removeprefix("sha256=")},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {SECRET} "[:-2]},
        {"Authorization": "Basic Y29ycmVjdA=="},
    ],
)
def test_who_does_not_is_not(client: httpx.Client, services: Services, headers: dict[str, str]) -> None:
    answer = client.post("/v1/events/s3", content=BODY, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert services.ledger.albums.list_summaries() == []


def test_garbage_is_taken_and_shown(client: httpx.Client) -> None:
    for body in ("{", notification(created("albums/party/a.jpg", 1), bucket="other")):
        answer = client.post("/v1/events/s3", content=body, headers=signature(body))
        assert (answer.status_code, answer.json()["rejected"]) == (200, 1)
    page = client.get("/v1/ingest/dead", params={"limit": 1}).json()
    rest = client.get("/v1/ingest/dead", params={"limit": 1, "after": page["next"]}).json()
    dead = page["events"] + rest["events"]
    assert {each["reason"] for each in dead} == {"not_json", "unknown_bucket"}
    assert {each["body"][:1] for each in dead} == {"{"}
    assert rest["next"] is None


def test_a_body_beyond_the_limit_is_refused(client: httpx.Client) -> None:
    body = "x" * (1024 * 1024 + 1)
    assert client.post("/v1/events/s3", content=body, headers=signature(body)).status_code == 413
    answer = client.post("/v1/events/s3", content=body[:-1], headers=signature(body[:-1]))
    assert answer.json()["rejected"] == 1


def test_there_is_no_webhook_without_a_secret(
    open_drawn_services: Callable[..., AbstractContextManager[Services]],  # noqa: F811  the fixture of that name
) -> None:
    with open_drawn_services() as services, serving(services) as client:
        answer = client.post("/v1/events/s3", content=BODY, headers={"Authorization": "Bearer"})
        assert (answer.status_code, answer.json()["type"]) == (404, "not_found")
        assert client.get("/v1/ingest/dead").json() == {"events": [], "next": None}
