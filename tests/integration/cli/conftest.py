"""A server that answers from a table and notes what it was asked, and the command run inside the test's process."""

import json
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from cli.main import run


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    content_type: str | None
    body: bytes
    #: What the caller shows.
    key: str | None


@dataclass
class FakeApi:
    """`answers` are taken in turn, the last one for ever; `asked` grows under the handler threads' own requests."""

    url: str = ""
    answers: defaultdict[tuple[str, str], list[tuple[int, Any]]] = field(default_factory=lambda: defaultdict(list))
    asked: list[Asked] = field(default_factory=list)

    def answer(self, method: str, path: str, body: object, status: int = 200) -> None:
        self.answers[method, path].append((status, body))

    def refuse(self, method: str, path: str, status: int, reason: str, detail: str) -> None:
        self.answer(method, path, {"type": reason, "status": status, "detail": detail}, status)

    def next_answer(self, method: str, path: str) -> tuple[int, Any]:
        planned = self.answers[method, path]
        if not planned:
            return 404, {"type": "not_found", "detail": f"the test planned no answer to {method} {path}"}
        return planned.pop(0) if len(planned) > 1 else planned[0]


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    status: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:  # noqa: ANN401  JSON
        """The one JSON document that is all of stdout."""
        assert self.stdout.count("\n") == 1, self.stdout
        return json.loads(self.stdout)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeApi]:
    isolate(monkeypatch, tmp_path)
    fake = FakeApi()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            path = unquote(address.path)
            query, headers = dict(parse_qsl(address.query)), self.headers
            asked = Asked(self.command, path, query, headers.get("content-type"), body, headers.get("x-api-key"))
            fake.asked.append(asked)
            status, answer = fake.next_answer(self.command, path)
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815  http.server's names

        def log_message(self, *_: object) -> None:
            """Keep stderr for the command."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("FACEFLEET_SERVER", fake.url)
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def isolate(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    """Leave nothing of the settings of whoever runs the tests."""
    for name in [each for each in os.environ if each.startswith("FACEFLEET_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(place)
    monkeypatch.setenv("FACEFLEET_DATA_DIR", str(place / "data"))
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def facefleet(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    def call(*arguments: str) -> Ended:
        status = run(list(arguments))
        written = capsys.readouterr()
        return Ended(status, written.out, written.err)

    return call
