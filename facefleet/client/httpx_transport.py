"""The usual transport: connections that are kept, TLS, proxies."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from facefleet.client.exchange import HttpAnswer, HttpRequest, read_seconds
from facefleet.errors import ConfigurationError


class HttpxTransport:
    """Implements `Transport` with a pool of connections."""

    def __init__(self, url: str, timeout_s: float) -> None:
        """Connect to nothing yet.

        Args:
            url: of the server.
            timeout_s: for connecting, and between two pieces of an answer.

        Raises:
            ConfigurationError: `url` is none of a server.
        """
        try:
            self._origin = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise ConfigurationError(f"{url!r} is not the URL of a server: {error}") from error
        if self._origin.scheme not in {"http", "https"} or not self._origin.host:
            raise ConfigurationError(f"{url!r} is not the URL of a server, like http://host:8000")
        self._client = httpx.Client(timeout=timeout_s)

    def send(self, request: HttpRequest) -> HttpAnswer:
        """See `Transport.send`."""
        with _network_errors():
            answer = self._client.send(self._build(request))
        return HttpAnswer(answer.status_code, answer.content, read_seconds(answer.headers.get("retry-after", "")))

    @contextmanager
    def stream(self, request: HttpRequest) -> Iterator[tuple[int, Iterator[bytes]]]:
        """See `Transport.stream`."""
        with _network_errors():
            answer = self._client.send(self._build(request), stream=True)
        try:
            yield answer.status_code, _lines_of(answer)
        finally:
            answer.close()

    def check(self) -> None:
        """See `Transport.check`."""
        self.send(HttpRequest("GET", "/healthz", {}))

    def close(self) -> None:
        """See `Transport.close`."""
        self._client.close()

    def _build(self, request: HttpRequest) -> httpx.Request:
        # The target is quoted already: parsing it once more would change names with odd characters.
        url = self._origin.copy_with(raw_path=request.target.encode("ascii"))
        return self._client.build_request(request.method, url, headers=request.headers, content=request.body)


def _lines_of(answer: httpx.Response) -> Iterator[bytes]:
    with _network_errors():
        for line in answer.iter_lines():
            yield line.encode()


@contextmanager
def _network_errors() -> Iterator[None]:
    try:
        yield
    except httpx.TransportError as error:
        raise ConnectionError(str(error) or type(error).__name__) from error
