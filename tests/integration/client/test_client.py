"""The client against a real server, over httpx and over the plain sockets of the command line."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from api.dependencies import Services
from cli.http_exchange import PlainTransport
from facefleet.client import Client
from facefleet.client.problems import RequestRefused
from facefleet.errors import (
    AlbumExists,
    AlbumNotFound,
    ConfigurationError,
    InvalidRequest,
    JobNotFound,
    PhotoUndecodable,
    ServerUnavailable,
)
from tests.integration.api import conftest as api_conftest

open_drawn_services = api_conftest.open_drawn_services
services = api_conftest.services
HOSTILE = 'Zoë & "Tom"? 100% #1 %2F'

OpenClient = Callable[[str], Client]


@pytest.fixture(params=["httpx", "plain"])
def open_client(request: pytest.FixtureRequest) -> Iterator[OpenClient]:
    with ExitStack() as stack:

        def opened(url: str) -> Client:
            transport = PlainTransport(url) if request.param == "plain" else None
            return stack.enter_context(Client(url, transport=transport))

        yield opened


@pytest.fixture
def http(services: Services) -> Iterator[httpx.Client]:
    with api_conftest.serving(services) as http:
        yield http


@pytest.fixture
def client(http: httpx.Client, open_client: OpenClient) -> Client:
    return open_client(str(http.base_url))


def test_an_album_from_its_making_to_its_end(client: Client, services: Services) -> None:
    made = client.create_album(HOSTILE, forget_after_days=30)
    assert (made.name, made.photos, made.forget_after_days) == (HOSTILE, 0, 30)
    assert client.set_retention(HOSTILE, None).forget_after_days is None
    photos = [(f"{number} {HOSTILE}\r\n.jpg", f"people {number}".encode()) for number in range(3)]
    with api_conftest.indexing(services):
        job_id = client.send_photos(HOSTILE, [*photos, ("dead.jpg", b"nothing")], source="file:///camera")
        seen = list(client.follow_job(job_id))
    assert (seen[-1].state, seen[-1].indexed, seen[-1].dead, seen[-1].has_ended) == ("done", 3, 1, True)
    assert not any(job.has_ended for job in seen[:-1])
    assert client.job(job_id) == seen[-1]
    assert {photo.photo for photo in client.photos(HOSTILE, "indexed")} == {name for name, _ in photos}
    [dead] = client.photos(HOSTILE, "dead")
    assert (dead.photo, dead.reason, dead.faces) == ("dead.jpg", "photo_undecodable", None)
    assert [face.quality.overall for face in client.faces(HOSTILE)] == [0.9] * 3
    assert client.retry(HOSTILE) == 1
    assert client.rebuild(HOSTILE) == (0, 0)
    assert [each.name for each in client.albums()] == [HOSTILE]
    client.delete_album(HOSTILE)
    assert client.albums() == []


def test_searches(client: Client, services: Services) -> None:
    client.create_album("people")
    client.send_photos("people", [("a.jpg", b"people 1 2"), ("b.jpg", b"people 1")])
    with api_conftest.indexing(services):
        for job in client.follow_job(client.send_photos("people", [("c.jpg", b"people 3")])):
            assert job.album == "people"
        while client.album("people").indexed < 3:
            pass
    answer = client.search("people", b"people 1 9", limit=5, min_similarity=0.9, links=True)
    assert (answer.width, answer.height, answer.notice) == (400, 200, None)
    found, nobody = answer.faces
    assert (sorted(each.photo for each in found.candidates), nobody.candidates) == (["a.jpg", "b.jpg"], [])
    assert all(each.similarity_percent > 99 and each.link for each in found.candidates)
    assert client.search("people", b"people 1", limit=1).faces[0].candidates[0].link is None
    [similar] = client.find_similar("people", found.candidates[0].face_id, min_similarity=0.9)
    assert similar.face_id == found.candidates[1].face_id
    assert [face.box for face in client.detect(b"people 4 5").faces] == [[0, 20, 40, 50], [40, 20, 40, 50]]


def test_what_is_refused_is_the_servers_own_error(client: Client) -> None:
    client.create_album("people")
    missing = "00000000-0000-0000-0000-000000000000"
    refusals: list[tuple[type[Exception], Callable[[], object]]] = [
        (AlbumExists, lambda: client.create_album("people")),
        (AlbumNotFound, lambda: client.album("nobody")),
        (AlbumNotFound, lambda: client.search("nobody", b"people 1")),
        (JobNotFound, lambda: client.job(missing)),
        (JobNotFound, lambda: list(client.follow_job(missing))),
        (JobNotFound, lambda: list(client.events("jobs", missing, "events"))),
        (PhotoUndecodable, lambda: client.search("people", b"not a photo")),
        (InvalidRequest, lambda: client.search("people", b"people 1", limit=0)),
        (InvalidRequest, lambda: client.create_album("a/b")),
        (InvalidRequest, lambda: client.send_photos("people", [])),
        (RequestRefused, lambda: client.get("nothing", "here")),
    ]
    for kind, ask in refusals:
        with pytest.raises(kind):
            ask()


def test_a_job_whose_album_goes_is_said_so(client: Client) -> None:
    client.create_album("people")
    job_id = client.send_photos("people", [("a.jpg", b"people 1")])
    steps = client.follow_job(job_id)
    assert next(steps).waiting == 1
    client.delete_album("people")
    with pytest.raises(JobNotFound):
        list(steps)


@pytest.mark.parametrize("url", ["", "host:8000", "ftp://host", "http://"])
def test_what_is_no_server_is_said_so(url: str, open_client: OpenClient) -> None:
    with pytest.raises(ConfigurationError, match="not the URL of a server"):
        open_client(url).albums()


def test_a_server_that_is_away_is_said_so(open_client: OpenClient) -> None:
    client = open_client("http://127.0.0.1:1")
    for ask in (client.albums, client.check, lambda: list(client.events("jobs", "x", "events"))):
        with pytest.raises(ServerUnavailable, match=r"no answer from the server at http://127\.0\.0\.1:1"):
            ask()


def test_the_key_is_shown() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"albums": []})

    with Client("http://faces.example/below", api_key="FFK_secret") as client:
        client._transport._client = httpx.Client(transport=httpx.MockTransport(answer))  # type: ignore[attr-defined]
        assert client.albums() == []
    assert (str(asked[0].url), asked[0].headers["x-api-key"]) == ("http://faces.example/below/v1/albums", "FFK_secret")
