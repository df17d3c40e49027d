"""HTTP by hand, against servers that answer as no good server does."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cli.http_exchange import HttpRequest, exchange
from facefleet.errors import ConfigurationError

ASK = HttpRequest("POST", "/v1/albums/a/search?limit=1", {"Content-Type": "image/jpeg"}, b"pixels")


@contextmanager
def server_that_sends(answer: bytes, *, reads: bool = True) -> Iterator[tuple[str, list[bytes]]]:
    """Take one connection, note what came, send `answer` and close."""
    received: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            if reads:
                received.append(connection.recv(65536))
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", received
        thread.join()


def test_request_and_answer() -> None:
    with server_that_sends(b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}") as (url, received):
        assert exchange(url, ASK) == (202, b"{}", None)
    head, _, body = received[0].partition(b"\r\n\r\n")
    assert body == b"pixels"
    assert head.split(b"\r\n") == [
        b"POST /v1/albums/a/search?limit=1 HTTP/1.0",
        b"Host: " + url.removeprefix("http://").encode(),
        b"Content-Type: image/jpeg",
        b"Content-Length: 6",
    ]


@pytest.mark.parametrize(("said", "wait_s"), [(b"7", 7), (b"Wed, 21 Oct 2026 07:28:00 GMT", None)])
def test_when_to_come_back(said: bytes, wait_s: float | None) -> None:
    with server_that_sends(b"HTTP/1.1 503 Busy\r\nRetry-After: " + said + b"\r\n\r\n{}") as (url, _):
        assert exchange(url, ASK) == (503, b"{}", wait_s)


def test_an_answer_that_comes_before_the_body_was_read_is_read() -> None:
    big = ASK._replace(body=b"x" * 30_000_000)
    refusal = b"HTTP/1.1 413 Too Large\r\n\r\n{}"
    with server_that_sends(refusal) as (url, _):
        assert exchange(url, big).status == 413


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "without an answer"),
        (b"220 mail.example ESMTP\r\n", "not HTTP"),
        (b"HTTP/1.1 OK\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{", "cut short"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101 + b"\r\n", "more headers"),
    ],
)
def test_what_is_no_answer_is_said_so(answer: bytes, why: str) -> None:
    with server_that_sends(answer) as (url, _), pytest.raises(ConnectionError, match=why):
        exchange(url, ASK)


@pytest.mark.parametrize("url", ["", "host:8000", "ftp://host", "http://", "http://host:port", "http://host:0"])
def test_what_is_no_url_is_said_so(url: str) -> None:
    with pytest.raises(ConfigurationError, match="not the URL of a server"):
        exchange(url, ASK)


def test_a_server_without_a_certificate_is_refused() -> None:
    with server_that_sends(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (url, _), pytest.raises(OSError, match=r"SSL|ssl"):
        exchange(url.replace("http:", "https:"), ASK)
