"""The REST API as commands see it: JSON in and out."""

import json
from http import HTTPStatus
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import quote, urlencode, urlsplit

from cli.http_exchange import HttpRequest, exchange, open_connection, read_address
from facefleet import errors
from facefleet.errors import FacefleetError, InvalidRequest, PhotoChanged, ServerUnavailable

#: Answers of proxies, and of a server that is starting or ending.
_AWAY = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}

#: What a query may say; None is left out, and a list is said once for each.
QueryValue: TypeAlias = str | float | list[str] | None


class RequestRefused(InvalidRequest):
    """The server refused for a reason that has no class of its own here."""

    def __init__(self, sentence: str, *, problem: str) -> None:
        """Keep the problem's word for machines beside the sentence.

        Args:
            sentence: for a person.
            problem: e.g. `folder_sources_off`.
        """
        super().__init__(sentence)
        self.problem = problem


class ApiClient(NamedTuple):
    """Talks to one server, a connection for each request; safe to call from several threads."""

    #: `http://host:port`, maybe with a path.
    url: str
    #: API key; empty: none is shown.
    key: str = ""
    #: Whether the server goes on when the command ends.
    outlives_us: bool = True

    def get(self, *path: str, **query: QueryValue) -> Any:  # noqa: ANN401  JSON
        """Read a resource; `path` is below `/v1`, its parts unquoted, and query values of None are left out."""
        return self._ask("GET", path, query=query)

    def post(self, *path: str, body: bytes, content_type: str = "application/json", **query: QueryValue) -> Any:  # noqa: ANN401  JSON
        """Send a body to a resource."""
        return self._ask("POST", path, query=query, body=body, content_type=content_type)

    def post_json(self, *path: str, **fields: object) -> Any:  # noqa: ANN401  JSON
        """Send the fields as a JSON object."""
        return self.post(*path, body=json.dumps(fields).encode())

    def patch_json(self, *path: str, **fields: object) -> Any:  # noqa: ANN401  JSON
        """Change a resource by the fields of a JSON object."""
        body = json.dumps(fields).encode()
        return self._ask("PATCH", path, query={}, body=body, content_type="application/json")

    def delete(self, *path: str) -> None:
        """Remove a resource."""
        self._ask("DELETE", path, query={})

    def check(self) -> None:
        """Return when something listens; raise `ServerUnavailable` when nothing does."""
        try:
            open_connection(read_address(self.url)).close()
        except OSError as error:
            raise self._away(error) from error

    def _ask(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        query: dict[str, QueryValue],
        body: bytes | None = None,
        content_type: str = "",
    ) -> Any:  # noqa: ANN401  JSON
        target = urlsplit(self.url).path.rstrip("/") + _write_target(path, query)
        headers = {"Accept": "application/json"} | ({"X-Api-Key": self.key} if self.key else {})
        if body is not None:
            headers["Content-Type"] = content_type
        try:
            answer = exchange(self.url, HttpRequest(method, target, headers, body or b""))
        except OSError as error:
            raise self._away(error) from error
        return _read_answer(answer.status, answer.body)

    def _away(self, error: Exception) -> ServerUnavailable:
        return ServerUnavailable(f"no answer from the server at {self.url}: {str(error) or type(error).__name__}")


def _write_target(path: tuple[str, ...], query: dict[str, QueryValue]) -> str:
    given = {name: value for name, value in query.items() if value is not None}
    try:
        place = "/".join(["/v1", *(quote(part, safe="") for part in path)])
        return f"{place}?{urlencode(given, doseq=True)}" if given else place
    except UnicodeEncodeError as error:  # bytes of the command line that are no text
        raise InvalidRequest(f"{error.object!r} is not a name: it is not UTF-8") from error


def _read_answer(status: int, body: bytes) -> Any:  # noqa: ANN401  JSON
    try:
        answer = json.loads(body) if body else None
    except ValueError:
        answer = None
        if status < HTTPStatus.BAD_REQUEST:
            raise FacefleetError("the server's answer is not JSON; is it a Facefleet server?") from None
    if status < HTTPStatus.BAD_REQUEST:
        return answer
    raise _error_of(status, answer if isinstance(answer, dict) else {})


def _error_of(status: int, problem: dict[str, Any]) -> FacefleetError:
    """Turn an RFC 9457 problem back into the error that the server raised."""
    word = str(problem.get("type", "")).replace(":", "/").rpartition("/")[2]
    sentence = str(problem.get("detail") or problem.get("title") or f"the server answered with status {status}")
    kind = _kinds().get(word)
    if kind is not None:
        return kind(sentence)
    if status in _AWAY:
        return ServerUnavailable(sentence)
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return RequestRefused(sentence, problem=word)
    return FacefleetError(sentence)


def _kinds() -> dict[str, type[FacefleetError]]:
    """The errors that a sentence is enough to make again, by their word for machines."""
    named = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, FacefleetError)]
    return {kind.reason: kind for kind in named if kind is not PhotoChanged}
