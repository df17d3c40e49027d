"""Requests to a Qdrant server (https://api.qdrant.tech/api-reference), whose errors are translated here.

Not through qdrant-client: importing it builds 400 classes, of which an album of faces needs a dozen, and took more than
half of what a process of a fleet needs to start.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, TypeAlias

import httpx
from pydantic_core import from_json, to_json

from facefleet.errors import ConfigurationError, GalleryNotPrepared, GalleryUnavailable

#: As it is in Python.
Json: TypeAlias = Any

#: Written and read by pydantic: a template is 512 numbers, for which the standard library takes four times as long.
_IS_JSON = {"Content-Type": "application/json"}


def ask_qdrant(client: httpx.Client, method: str, path: str, body: Json = None, *, model_version: str = "") -> Json:
    """Send a request and return the `result` of its answer.

    Args:
        client: whose base URL is the server's.
        method: of HTTP.
        path: with its query; every part of it is one that needs no quoting.
        body: sent as JSON.
        model_version: for the sentence that a person reads when the server refuses.

    Raises:
        GalleryUnavailable: nobody answers, or the server refuses.
        GalleryNotPrepared: it has no such collection.
        ConfigurationError: it wants another API key, or templates of another length.
    """
    with answers_as_qdrant():
        content = None if body is None else to_json(body)
        answer = client.request(method, path, content=content, headers=_IS_JSON)
        if not answer.is_success:
            raise _refusal(answer, model_version)
        return from_json(answer.content)["result"]


@contextmanager
def answers_as_qdrant() -> Iterator[None]:
    """Take what no answer of Qdrant's leads to, in the block, for a server that does not answer.

    Raises:
        GalleryUnavailable: it does not.
    """
    try:
        yield
    except (httpx.HTTPError, ValueError, LookupError, TypeError, RuntimeError, OSError) as error:
        raise GalleryUnavailable(f"the Qdrant server does not answer: {error or type(error).__name__}") from error


def _refusal(answer: httpx.Response, model_version: str) -> ConfigurationError | GalleryUnavailable:
    status = answer.status_code
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return ConfigurationError("the Qdrant server refuses the API key (FACEFLEET_QDRANT_API_KEY)")
    if status == HTTPStatus.BAD_REQUEST and b"imension" in answer.content:
        return ConfigurationError(f"templates of model {model_version} do not fit the gallery: {answer.content!r}")
    if status == HTTPStatus.NOT_FOUND:
        return GalleryNotPrepared(f"the gallery is not prepared for templates of model {model_version}")
    return GalleryUnavailable(f"the Qdrant server answered {status} {answer.reason_phrase}")
