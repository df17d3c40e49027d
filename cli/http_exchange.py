"""HTTP as a command needs it: one request, one answer, one connection.

`http.client` takes 45 ms to load, as long as a search on a running server takes; a socket takes 7.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO
from urllib.parse import SplitResult, urlsplit

from facefleet.client.exchange import HttpAnswer, HttpRequest, read_seconds
from facefleet.errors import ConfigurationError

#: Longer than any answer takes: a probe of 15 MB over a slow line, and a busy recognizer.
_TIMEOUT_S = 120.0

_PORTS = {"http": 80, "https": 443}
_MAX_HEADER_LINES = 100
_MAX_LINE_BYTES = 65_536


class PlainTransport:
    """Implements `facefleet.client.transport.Transport`: a connection for each request, no state."""

    def __init__(self, url: str) -> None:
        """Reach the server of that URL."""
        self._url = url

    def send(self, request: HttpRequest) -> HttpAnswer:
        """See `Transport.send`."""
        return exchange(self._url, request)

    @contextmanager
    def stream(self, request: HttpRequest) -> Iterator[tuple[int, Iterator[bytes]]]:
        """See `Transport.stream`."""
        address = read_address(self._url)
        with open_connection(address) as connection:
            connection.sendall(_write_head(address, request) + request.body)
            with connection.makefile("rb") as stream:
                status, _ = _read_head(stream)
                yield status, (line.rstrip(b"\r\n") for line in stream)

    def check(self) -> None:
        """See `Transport.check`."""
        open_connection(read_address(self._url)).close()

    def close(self) -> None:
        """Nothing is kept open."""


def exchange(url: str, request: HttpRequest) -> HttpAnswer:
    """Send one request and read its answer to the end.

    In the words of HTTP/1.0, whose answers end with their connection and come in no chunks.

    Args:
        url: of the server.
        request: its target is used, not the path of `url`.

    Raises:
        ConfigurationError: `url` is none of a server.
        OSError: nothing listens, or the answer is cut short or not HTTP.
    """
    address = read_address(url)
    with open_connection(address) as connection:
        # A server that refuses early closes while the body is still on its way; its answer says why.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(_write_head(address, request) + request.body)
        with connection.makefile("rb") as stream:
            return _read_answer(stream)


def open_connection(address: SplitResult) -> socket.socket:
    """Connect, within the time limit of every later step.

    Raises:
        OSError: nothing listens, or its certificate is not trusted.
    """
    connection = socket.create_connection((address.hostname, address.port or _PORTS[address.scheme]), _TIMEOUT_S)
    if address.scheme == "http":
        return connection
    import ssl  # noqa: PLC0415  13 ms that a server on this machine does without

    return ssl.create_default_context().wrap_socket(connection, server_hostname=address.hostname)


def read_address(url: str) -> SplitResult:
    """Take the URL of a server apart.

    Raises:
        ConfigurationError: it is none.
    """
    with suppress(ValueError):
        address = urlsplit(url)
        if address.scheme in _PORTS and address.hostname and address.port != 0:
            return address
    raise ConfigurationError(f"{url!r} is not the URL of a server, like http://host:8000")


def _write_head(address: SplitResult, request: HttpRequest) -> bytes:
    headers = {"Host": address.netloc.rpartition("@")[2], **request.headers}
    if request.body or request.method == "POST":
        headers["Content-Length"] = str(len(request.body))
    lines = [f"{request.method} {request.target} HTTP/1.0", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _read_answer(stream: BinaryIO) -> HttpAnswer:
    status, headers = _read_head(stream)
    body = stream.read()
    announced_bytes = headers.get("content-length", "")
    if announced_bytes.isdecimal() and len(body) < int(announced_bytes):
        raise ConnectionError("the answer was cut short")
    return HttpAnswer(status, body, read_seconds(headers.get("retry-after", "")))


def _read_head(stream: BinaryIO) -> tuple[int, dict[str, str]]:
    """Read the status and the headers."""
    protocol, _, rest = stream.readline(_MAX_LINE_BYTES).partition(b" ")
    status = rest[:3]
    if not protocol.startswith(b"HTTP/") or not status.isdigit():
        raise ConnectionError("the answer is not HTTP" if protocol else "the connection was closed without an answer")
    return int(status), _read_headers(stream)


def _read_headers(stream: BinaryIO) -> dict[str, str]:
    """Read all headers, their names in lower case."""
    headers: dict[str, str] = {}
    for _ in range(_MAX_HEADER_LINES):
        line = stream.readline(_MAX_LINE_BYTES).strip()
        if not line:
            return headers
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    raise ConnectionError("the answer has more headers than a server sends")
