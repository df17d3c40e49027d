"""Answers that are errors: RFC 9457 problems become the errors that the server raised."""

from http import HTTPStatus
from typing import Any

from facefleet import errors
from facefleet.errors import FacefleetError, InvalidRequest, Overloaded, PhotoChanged, RateLimited, ServerUnavailable

#: Answers of proxies, and of a server that is starting or ending.
_AWAY = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}


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


def error_of(status: int, problem: dict[str, Any], retry_after_s: float = 1.0) -> FacefleetError:
    """Make the error that a problem tells of.

    Args:
        status: of HTTP.
        problem: an RFC 9457 object, or what a proxy made of it.
        retry_after_s: when to come back, where that is the problem.
    """
    word = str(problem.get("type", "")).replace(":", "/").rpartition("/")[2]
    sentence = str(problem.get("detail") or problem.get("title") or f"the server answered with status {status}")
    kind = _kinds().get(word)
    if kind is not None:
        return kind(sentence, retry_after_s) if issubclass(kind, Overloaded) else kind(sentence)
    if status in _AWAY:
        return ServerUnavailable(sentence)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited(sentence, retry_after_s)
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return RequestRefused(sentence, problem=word)
    return FacefleetError(sentence)


def _kinds() -> dict[str, type[FacefleetError]]:
    """The errors that a sentence is enough to make again, by their word for machines."""
    named = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, FacefleetError)]
    return {kind.reason: kind for kind in named if kind is not PhotoChanged}
