"""Too many who ask, and who send too slowly or too much, while an album is indexed."""

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

from tests.chaos.run import Run
from tests.chaos.storms.servers import run_command

_MORE_MEMORY_BYTES = 80_000_000
_SLOW_SENDERS = 12
_PART = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\nx\r\n'


def search_ten_times_as_much(run: Run) -> None:
    scene = run.scene
    run.wait_for_work()
    if not run.armed:
        return
    memory = scene.fleet.memory_bytes("api")
    probe = scene.home / "probe.jpg"
    probe.write_bytes(scene.drawings[max(scene.drawings, key=lambda name: len(scene.oracle.truth[name] or ()))])
    run.strike(lambda: None)
    command = [sys.executable, "-m", "tests.chaos.load", "127.0.0.1", str(scene.fleet.api_port), probe, scene.key]
    said = run_command(command, dict(os.environ))
    report = json.loads(said.splitlines()[-1])
    print(report)
    run.note("shed", report["shed"])
    run.note("admitted", report["admitted"])
    run.note("shed without Retry-After, or not answered", report["shed_without_retry_after"] + report["unanswered"])
    run.note("admitted p99, % of that at capacity", round(100 * report["p99_ratio"]))
    run.note("healthz not green", report["health_not_green"])
    run.note("memory not flat", int(scene.fleet.memory_bytes("api") - memory > _MORE_MEMORY_BYTES))


def send_slowly_and_too_much(run: Run) -> None:
    scene = run.scene
    run.wait_for_work()
    if not run.armed:
        return
    memory = scene.fleet.memory_bytes("api")
    run.strike(lambda: None)
    with ExitStack() as stack:
        paths = ("/v1/detect", f"/v1/albums/{run.album}/photos?name=slow.jpg")
        slow = [stack.enter_context(closing(_open(run, path, 1000))) for path in paths for _ in range(_SLOW_SENDERS)]
        _note_refusals(run)
        until_s = time.monotonic() + 40
        while slow and time.monotonic() < until_s:
            slow = [each for each in slow if not _trickle(run, each)]
            _check_others(run)
            time.sleep(1)
    run.note("slow senders that were not cut", len(slow))
    run.note("memory not flat", int(scene.fleet.memory_bytes("api") - memory > _MORE_MEMORY_BYTES))


def _note_refusals(run: Run) -> None:
    """Send 10 GB, announced and not, and 10,000 files in one form."""
    photos = f"/v1/albums/{run.album}/photos"
    with closing(_open(run, f"{photos}?name=huge.jpg", 10_000_000_000)) as announced:
        run.note("10 GB refused unread", int(_status(announced) == 413))
    for path, content_type, least in (
        ("/v1/detect", "image/jpeg", 5),
        (f"{photos}?name=huge.jpg", "image/jpeg", 50),
        (photos, "multipart/form-data; boundary=b", 60),
    ):
        with closing(_open(run, path, None, content_type)) as streamed:
            sent_mb = _stream(streamed, _PART if "form" in content_type else b"")
            run.note("10 GB refused at the limit", int(_status(streamed) == 413 and sent_mb < least + 40))
    form = _PART * 10_000 + b"--b--\r\n"
    with closing(_open(run, photos, len(form), "multipart/form-data; boundary=b")) as many:
        _send(many, form)
        run.note("10,000 parts refused", int(_status(many) in (400, 413, 422)))


def _open(run: Run, path: str, length: int | None, content_type: str = "image/jpeg") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", run.scene.fleet.api_port), timeout=30)
    body = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    about = f"Host: localhost\r\nX-Api-Key: {run.scene.key}\r\nContent-Type: {content_type}\r\n{body}"
    head = f"POST {path} HTTP/1.1\r\n{about}\r\n\r\n"
    connection.sendall(head.encode())
    return connection


def _stream(connection: socket.socket, first: bytes) -> int:
    """Send pieces of a megabyte, until the server has had enough; returns how many."""
    for sent_mb, piece in enumerate(_pieces(first)):
        if not _send(connection, piece):
            return sent_mb
    return 10_000


def _pieces(first: bytes) -> Iterator[bytes]:
    for number in range(10_000):
        piece = (first.replace(b"\r\nx\r\n", b"\r\n") if number == 0 else b"") + b"x" * 1_000_000
        yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"


def _send(connection: socket.socket, data: bytes) -> bool:
    try:
        connection.sendall(data)
    except OSError:
        return False
    return True


def _status(connection: socket.socket) -> int:
    """Read the status of the answer; 413 as well when the server hung up on what was too much."""
    try:
        return int(connection.recv(4096).split(b" ", 2)[1])
    except OSError:
        return 413
    except IndexError:
        return 0


def _trickle(run: Run, connection: socket.socket) -> bool:
    """Send one byte; returns whether the server has answered that it is too slow."""
    connection.settimeout(0)
    try:
        answer = connection.recv(4096)
    except BlockingIOError:
        _send(connection, b"x")
        return False
    except OSError:
        answer = b""
    run.note("slow senders told so", int(b" 408 " in answer[:20]))
    return True


def _check_others(run: Run) -> None:
    """Everybody else is served."""
    probe = min(run.scene.drawings.values(), key=len)
    jpeg = {"content-type": "image/jpeg"}
    http = run.scene.http
    answers = (http.get("/healthz"), http.post("/v1/detect", content=probe, headers=jpeg))
    run.note("others affected", sum(each.status_code != 200 for each in answers))
