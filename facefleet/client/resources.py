"""JSON in and out, over any transport."""

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote, urlencode, urlsplit

from facefleet.client.exchange import HttpAnswer, HttpRequest
from facefleet.errors import FacefleetError, InvalidRequest, Overloaded, ServerUnavailable

if TYPE_CHECKING:
    from facefleet.client.transport import Transport

_PAGE = 1000
#: The first status that is an error. `http.HTTPStatus` takes 4 ms to load, and every search from the shell pays them.
_BAD_REQUEST = 400
#: A proxy that says "at once" is not asked as fast as it answers.
_LEAST_REST_S = 0.1

#: What a query may say; None is left out, and a list is said once for each.
QueryValue: TypeAlias = str | float | bool | list[str] | None


class Resources:
    """Talks to one server about anything it has. Safe to use from several threads, if its transport is.

    Every method raises the error that the server named, or `ServerUnavailable` when none answers.
    """

    def __init__(self, url: str, api_key: str, transport: "Transport", patience_s: float) -> None:
        """Talk to a server.

        Args:
            url: `http://host:port`, maybe with a path.
            api_key: empty: none is shown.
            transport: reaches that server.
            patience_s: a request that is told to come back later (Retry-After) does so for so long.
        """
        self.url = url
        self._transport = transport
        self._patience_s = patience_s
        self._headers = {"Accept": "application/json"} | ({"X-Api-Key": api_key} if api_key else {})

    def get(self, *path: str, **query: QueryValue) -> Any:  # noqa: ANN401  JSON
        """Read a resource; `path` is below `/v1`, its parts unquoted, and query values of None are left out."""
        return self._ask(self._request("GET", path, query))

    def post(self, *path: str, body: bytes, content_type: str = "application/json", **query: QueryValue) -> Any:  # noqa: ANN401  JSON
        """Send a body to a resource."""
        return self._ask(self._request("POST", path, query, body, content_type))

    def post_json(self, *path: str, **fields: object) -> Any:  # noqa: ANN401  JSON
        """Send the fields as a JSON object."""
        return self.post(*path, body=json.dumps(fields).encode())

    def patch_json(self, *path: str, **fields: object) -> Any:  # noqa: ANN401  JSON
        """Change a resource by the fields of a JSON object."""
        return self._ask(self._request("PATCH", path, {}, json.dumps(fields).encode(), "application/json"))

    def delete(self, *path: str) -> None:
        """Remove a resource."""
        self._ask(self._request("DELETE", path, {}))

    def walk(self, *path: str, **query: QueryValue) -> Iterator[dict[str, Any]]:
        """Read a listing of several pages to its end; the last part of the path names the list in the answer."""
        return self.walk_list(path[-1], *path, **query)

    def walk_list(self, name: str, /, *path: str, **query: QueryValue) -> Iterator[dict[str, Any]]:
        """Read a listing of several pages to its end; `name` is that of the list in the answer."""
        after = None
        while True:
            page = self.get(*path, after=after, limit=_PAGE, **query)
            yield from page[name]
            after = page["next"]
            if after is None:
                return

    def events(self, *path: str) -> Iterator[tuple[str, Any]]:
        """Read a stream of server-sent events: (name, data), until the server ends it.

        Events have no ids to take a lost stream up from: it is asked for anew, and begins with what is so by then.

        Raises:
            ServerUnavailable: the connection was lost; none is begun again here, `Client.follow_job` does.
        """
        request = self._request("GET", path, {})
        request.headers["Accept"] = "text/event-stream"
        try:
            with self._transport.stream(request) as (status, lines):
                if status >= _BAD_REQUEST:
                    raise _error_of(HttpAnswer(status, b"\n".join(lines)))
                yield from _read_events(lines)
        except OSError as error:
            raise self._away(error) from error

    def check(self) -> None:
        """Return when something listens; raise `ServerUnavailable` when nothing does."""
        try:
            self._transport.check()
        except OSError as error:
            raise self._away(error) from error

    def close(self) -> None:
        """Let go of connections."""
        self._transport.close()

    def _request(
        self,
        method: str,
        path: tuple[str, ...],
        query: dict[str, QueryValue],
        body: bytes | None = None,
        content_type: str = "",
    ) -> HttpRequest:
        target = urlsplit(self.url).path.rstrip("/") + _write_target(path, query)
        of_body = {} if body is None else {"Content-Type": content_type}
        return HttpRequest(method, target, self._headers | of_body, body or b"")

    def _ask(self, request: HttpRequest) -> Any:  # noqa: ANN401  JSON
        answer = self._send_patiently(request)
        try:
            return json.loads(answer.body) if answer.body else None
        except ValueError:
            raise FacefleetError("the server's answer is not JSON; is it a Facefleet server?") from None

    def _send_patiently(self, request: HttpRequest) -> HttpAnswer:
        """Send a request, again when the server says so, until it is answered or there is no time left for that."""
        give_up_at_s = time.monotonic() + self._patience_s
        while True:
            try:
                answer = self._transport.send(request)
            except OSError as error:
                raise self._away(error) from error
            if answer.status < _BAD_REQUEST:
                return answer
            refusal = _error_of(answer)
            rest_s = answer.retry_after_s
            if rest_s is None or not _may_repeat(request, refusal) or time.monotonic() + rest_s > give_up_at_s:
                raise refusal
            time.sleep(max(rest_s, _LEAST_REST_S))

    def _away(self, error: Exception) -> ServerUnavailable:
        return ServerUnavailable(f"no answer from the server at {self.url}: {str(error) or type(error).__name__}")


def _write_target(path: tuple[str, ...], query: dict[str, QueryValue]) -> str:
    given = {name: _spell(value) for name, value in query.items() if value is not None}
    try:
        place = "/".join(["/v1", *(quote(part, safe="") for part in path)])
        return f"{place}?{urlencode(given, doseq=True)}" if given else place
    except UnicodeEncodeError as error:  # bytes of the command line that are no text
        raise InvalidRequest(f"{error.object!r} is not a name: it is not UTF-8") from error


def _spell(value: QueryValue) -> QueryValue:
    return str(value).lower() if isinstance(value, bool) else value


def _may_repeat(request: HttpRequest, refusal: FacefleetError) -> bool:
    """Whether nothing is done twice: who is overloaded did nothing, whatever it was asked for."""
    return request.method == "GET" or isinstance(refusal, Overloaded)


def _error_of(answer: HttpAnswer) -> FacefleetError:
    from facefleet.client.problems import error_of  # noqa: PLC0415  most answers are none

    try:
        problem = json.loads(answer.body)
    except ValueError:
        problem = {}
    return error_of(answer.status, problem if isinstance(problem, dict) else {}, answer.retry_after_s or 1.0)


def _read_events(lines: Iterator[bytes]) -> Iterator[tuple[str, Any]]:
    """Read events as the HTML standard has them: fields by line, an empty line ends each, comments begin with `:`."""
    name, data = "message", b""
    for line in lines:
        key, _, value = line.partition(b":")
        if key == b"event":
            name = value.removeprefix(b" ").decode()
        elif key == b"data":
            data += value.removeprefix(b" ") + b"\n"
        elif not line and data:
            yield name, json.loads(data)
            name, data = "message", b""
