"""What only a real server shows: refused bodies, clients that leave, ends of the process."""

import logging
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Thread

import httpx
import pytest

import api.body_limit
from api.dependencies import Services
from facefleet.errors import GalleryUnavailable
from facefleet.purging import purge_album
from tests.integration.api.conftest import serving

JPEG = {"content-type": "image/jpeg"}


def wait_until(condition: Callable[[], bool], limit_s: float = 10) -> None:
    give_up_at = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def test_a_body_too_large_is_told_so_and_the_connection_goes_on(client: httpx.Client, services: Services) -> None:
    limit_bytes = services.settings.max_probe_bytes
    for content in (b"x" * (limit_bytes + 1), iter([b"x" * limit_bytes, b"x"])):
        response = client.post("/v1/albums/people/search", content=content, headers=JPEG)
        assert (response.status_code, response.json()["type"]) == (413, "body_too_large")
    assert client.get("/healthz").status_code == 200


def test_a_body_that_trickles_in_is_cut_and_hurts_nobody(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.body_limit, "BODY_GRACE_S", 0.3)
    address = (client.base_url.host, client.base_url.port or 0)
    head = "POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: 1000\r\n\r\n"
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(head.encode() + b"x")
        connection.sendall(b"x")
        assert client.get("/healthz").status_code == 200
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"body_too_slow" in answer


def test_a_client_that_leaves_in_the_middle_of_its_body_hurts_nobody(
    client: httpx.Client, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    address = (client.base_url.host, client.base_url.port or 0)
    for path in ("/v1/detect", "/v1/albums/people/photos?name=a.jpg"):
        with socket.create_connection(address) as connection:
            head = (
                f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: 1000\r\n\r\n"
            )
            connection.sendall(head.encode() + b"people 1")
    wait_until(lambda: 'status="499"' in client.get("/metrics").text)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert [path for path in (services.settings.data_dir / "uploads").rglob("*") if path.is_file()] == []


def test_a_server_ends_while_a_client_follows_a_job(
    open_drawn_services: Callable[..., AbstractContextManager[Services]], caplog: pytest.LogCaptureFixture
) -> None:
    followed: list[str] = []

    def follow(url: str) -> None:
        with httpx.stream("GET", url) as response:
            followed.extend(response.iter_lines())

    with open_drawn_services() as services:
        with serving(services) as client:
            client.post("/v1/albums", json={"name": "people"}).raise_for_status()
            sent = client.post("/v1/albums/people/photos?name=a.jpg", content=b"people 1", headers=JPEG).json()
            follower = Thread(target=follow, args=(f"{client.base_url}/v1/jobs/{sent['job_id']}/events",))
            follower.start()
            wait_until(lambda: bool(followed))
        follower.join(10)
    assert not follower.is_alive()
    assert [record for record in caplog.records if record.exc_info] == []


def test_a_killed_purge_is_finished_by_the_next_one(
    client: httpx.Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise GalleryUnavailable("away")

    client.post("/v1/albums/people/photos?name=a.jpg", content=b"people 1", headers=JPEG).raise_for_status()
    with monkeypatch.context() as patch:
        patch.setattr(services.gallery, "delete_album", fail)
        assert client.delete("/v1/albums/people").status_code == 503
    (album,) = services.ledger.albums.deleting()
    assert album.name == "people"
    for _ in range(2):
        purge_album(services.ledger, services.gallery, services.stores, services.settings, album)
    assert services.ledger.albums.deleting() == []
    assert [path for path in (services.settings.data_dir / "uploads").rglob("*") if path.is_file()] == []


def test_many_searches_at_once_are_answered_or_told_to_come_back(client: httpx.Client) -> None:
    statuses: list[int] = []

    def search_often() -> None:
        for _ in range(5):
            response = client.post("/v1/albums/people/search", content=b"people 1", headers=JPEG)
            statuses.append(response.status_code)

    threads = [Thread(target=search_often) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert statuses == [200] * 100
