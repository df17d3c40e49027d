"""Every verb of the fault proxy does what it is called after, and nothing when it is told nothing."""

import http.client
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.chaos.proxy import FaultProxy, Toxic

BODY = b"x" * 50_000


class Answerer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answerer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        proxy = FaultProxy(server.server_port)
        yield proxy
        proxy.close()
        server.shutdown()
        thread.join()


def get(proxy: FaultProxy, path: str = "/photo", timeout_s: float = 5) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        with connection.getresponse() as answer:
            return answer.status, answer.read()
    finally:
        connection.close()


def test_without_a_toxic_everything_passes(proxy: FaultProxy) -> None:
    assert get(proxy) == (200, BODY)
    assert not proxy.hits


def test_http_errors_are_answered_in_the_servers_stead(proxy: FaultProxy) -> None:
    proxy.toxic = Toxic("http", amount=503, code="SlowDown", match=b"/photo")
    status, body = get(proxy)
    assert (status, b"<Code>SlowDown</Code>" in body) == (503, True)
    assert get(proxy, "/other") == (200, BODY)
    assert proxy.hits == {"http": 1}


def test_a_share_of_the_requests_is_hit(proxy: FaultProxy) -> None:
    proxy.toxic = Toxic("http", share=0.5, amount=500)
    statuses = [get(proxy)[0] for _ in range(40)]
    assert 5 < statuses.count(500) < 35
    assert proxy.hits["http"] == statuses.count(500)


def test_a_body_is_cut_short(proxy: FaultProxy) -> None:
    proxy.toxic = Toxic("truncate", amount=20_000)
    with pytest.raises(http.client.IncompleteRead):
        get(proxy)


def test_a_connection_is_reset(proxy: FaultProxy) -> None:
    proxy.toxic = Toxic("reset", amount=100)
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        get(proxy)


def test_nothing_comes(proxy: FaultProxy) -> None:
    proxy.toxic = Toxic("timeout")
    with pytest.raises(TimeoutError):
        get(proxy, timeout_s=0.2)


@pytest.mark.parametrize("toxic", [Toxic("latency", amount=0.3), Toxic("bandwidth", amount=100_000)])
def test_it_takes_its_time(proxy: FaultProxy, toxic: Toxic) -> None:
    proxy.toxic = toxic
    began = time.monotonic()
    assert get(proxy) == (200, BODY)
    assert time.monotonic() - began > 0.25


def test_the_end_is_withheld(proxy: FaultProxy) -> None:
    proxy.toxic = Toxic("slow_close", amount=0.2)
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=5)
    connection.request("GET", "/photo", headers={"Connection": "close"})
    sock = connection.sock
    began = time.monotonic()
    while sock.recv(65536):
        pass
    connection.close()
    assert time.monotonic() - began > 0.15
