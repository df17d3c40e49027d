import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

import workers.spot_notice
from workers.spot_notice import read_spot_notice, watch_for_spot_notice


class Metadata(BaseHTTPRequestHandler):
    """Speaks version 2 of the instance metadata service."""

    notice = ""

    def do_PUT(self) -> None:
        self._answer(200, "a-token")

    def do_GET(self) -> None:
        if self.headers["X-aws-ec2-metadata-token"] != "a-token":
            self._answer(401, "")
        else:
            self._answer(200 if self.notice else 404, self.notice)

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


@pytest.fixture
def metadata_url() -> Iterator[str]:
    Metadata.notice = ""
    with HTTPServer(("127.0.0.1", 0), Metadata) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_notice_is_read_when_there_is_one(metadata_url: str) -> None:
    assert read_spot_notice(metadata_url) is None
    Metadata.notice = '{"action": "terminate", "time": "2030-01-01T00:00:00Z"}'
    assert read_spot_notice(metadata_url) == Metadata.notice


def test_worker_leaves_once(metadata_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers.spot_notice, "POLL_INTERVAL_S", 0.01)
    Metadata.notice = "terminate"
    left: list[bool] = []
    watch_for_spot_notice(metadata_url, threading.Event(), lambda: left.append(True))
    assert left == [True]


def test_a_service_that_is_away_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers.spot_notice, "POLL_INTERVAL_S", 0.01)
    stopping, asked = threading.Event(), []

    def refuse(_url: str) -> None:
        asked.append(True)
        if len(asked) == 3:
            stopping.set()
        raise ConnectionRefusedError

    monkeypatch.setattr(workers.spot_notice, "read_spot_notice", refuse)
    watch_for_spot_notice("http://x", stopping, lambda: pytest.fail("nobody said so"))
    assert len(asked) == 3
