"""Errors as RFC 9457 problems: one table from error class to HTTP status."""

import math
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request

from facefleet.errors import (
    AccessDenied,
    AlbumExists,
    AlbumNotFound,
    FacefleetError,
    FaceNotFound,
    InvalidRequest,
    JobNotFound,
    NotAuthenticated,
    NotPermitted,
    Overloaded,
    PeopleConflict,
    PermanentError,
    PersonNotFound,
    PhotoChanged,
    PhotoNotFound,
    PhotoTooLarge,
    RateLimited,
    RequestError,
    TransientError,
)

log = structlog.stdlib.get_logger(__name__)

PROBLEM_JSON = "application/problem+json"
#: What a client that was told to come back later waits.
RETRY_AFTER_S = 2


class UnsupportedBody(RequestError):
    """The body's Content-Type is not one that the route reads."""

    reason = "unsupported_media_type"


class FolderSourcesOff(RequestError):
    """The server does not index folders of its own machine."""

    reason = "folder_sources_off"


class NoFleet(RequestError):
    """Nobody would ever do the work."""

    reason = "no_fleet"


class UntrustedHost(RequestError):
    """The server was called by a name that is not known to be its own."""

    reason = "untrusted_host"


class ForeignOrigin(RequestError):
    """A web page of another server asks a browser to write."""

    reason = "foreign_origin"


class LinkRefused(RequestError):
    """A signed link has expired, or was not made here."""

    reason = "link_refused"


class MediaUrlsOff(RequestError):
    """The server does not fetch images from addresses of callers."""

    reason = "media_urls_off"


class CallbacksOff(RequestError):
    """The server calls nobody back."""

    reason = "callbacks_off"


#: The nearest class on an error's way up to FacefleetError decides.
STATUS_OF_ERROR: dict[type[FacefleetError], HTTPStatus] = {
    PhotoNotFound: HTTPStatus.NOT_FOUND,
    PhotoTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    AccessDenied: HTTPStatus.FORBIDDEN,
    PermanentError: HTTPStatus.UNPROCESSABLE_ENTITY,
    PhotoChanged: HTTPStatus.CONFLICT,
    RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    TransientError: HTTPStatus.SERVICE_UNAVAILABLE,
    NotAuthenticated: HTTPStatus.UNAUTHORIZED,
    NotPermitted: HTTPStatus.FORBIDDEN,
    InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    AlbumNotFound: HTTPStatus.NOT_FOUND,
    AlbumExists: HTTPStatus.CONFLICT,
    JobNotFound: HTTPStatus.NOT_FOUND,
    PersonNotFound: HTTPStatus.NOT_FOUND,
    FaceNotFound: HTTPStatus.NOT_FOUND,
    PeopleConflict: HTTPStatus.CONFLICT,
    UnsupportedBody: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    FolderSourcesOff: HTTPStatus.FORBIDDEN,
    NoFleet: HTTPStatus.CONFLICT,
    UntrustedHost: HTTPStatus.MISDIRECTED_REQUEST,
    ForeignOrigin: HTTPStatus.FORBIDDEN,
    LinkRefused: HTTPStatus.FORBIDDEN,
    MediaUrlsOff: HTTPStatus.FORBIDDEN,
    CallbacksOff: HTTPStatus.FORBIDDEN,
    RequestError: HTTPStatus.BAD_REQUEST,
    FacefleetError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

#: `type` of the problems that the framework raises.
_TYPE_OF_STATUS = {
    HTTPStatus.BAD_REQUEST: "invalid_request",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_TIMEOUT: "body_too_slow",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "body_too_large",
    HTTPStatus.NOT_IMPLEMENTED: "not_implemented",
}


def install_error_responses(app: FastAPI) -> None:
    """Answer every error that a route raises with a problem."""
    app.add_exception_handler(FacefleetError, _answer_facefleet_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(HTTPException, _answer_http_exception)


def problem_of(error: FacefleetError, instance: str) -> dict[str, Any]:
    """Describe an error that was raised on purpose."""
    return _problem(error.reason, status_of(error), str(error), instance)


def status_of(error: FacefleetError) -> HTTPStatus:
    """Look an error up in the table, by the nearest of its classes."""
    return next(STATUS_OF_ERROR[cls] for cls in type(error).__mro__ if cls in STATUS_OF_ERROR)


def problem_response(request: Request, error: FacefleetError) -> JSONResponse:
    """Answer for an error outside of all routes."""
    return _respond(problem_of(error, request.url.path), _headers_of(error))


def unexpected_error_response(request: Request) -> JSONResponse:
    """Answer for an error that nobody foresaw: nothing of it leaves the process, the log has it."""
    detail = "Something unforeseen went wrong in the server; its log says what."
    return _respond(_problem("internal_error", HTTPStatus.INTERNAL_SERVER_ERROR, detail, request.url.path))


async def _answer_facefleet_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, FacefleetError):  # the framework's signature is wider than what it calls this with
        raise error
    problem = problem_of(error, request.url.path)
    status = problem["status"]
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request failed", path=request.url.path, status=status, reason=error.reason, error=str(error))
    return _respond(problem, _headers_of(error))


async def _answer_validation_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    errors = [{"where": _place_of(item["loc"]), "message": item["msg"]} for item in error.errors()]
    detail = "; ".join(f"{item['where']}: {item['message']}" for item in errors)
    problem = _problem(InvalidRequest.reason, HTTPStatus.UNPROCESSABLE_ENTITY, detail, request.url.path)
    return _respond(problem | {"errors": errors})


async def _answer_http_exception(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    problem = _problem(_TYPE_OF_STATUS.get(status, "about:blank"), status, error.detail, request.url.path)
    return _respond(problem, dict(error.headers or {}))


def _headers_of(error: FacefleetError) -> dict[str, str]:
    """What goes with a status beside the problem."""
    if isinstance(error, Overloaded):
        return {"Retry-After": str(math.ceil(error.retry_after_s))}
    return {"WWW-Authenticate": "Bearer"} if isinstance(error, NotAuthenticated) else {}


def _place_of(location: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in location)


def _problem(type_: str, status: HTTPStatus, detail: str, instance: str) -> dict[str, Any]:
    return {"type": type_, "title": status.phrase, "status": int(status), "detail": detail, "instance": instance}


def _respond(problem: dict[str, Any], headers: dict[str, str] | None = None) -> JSONResponse:
    status = problem["status"]
    retry_after = {"Retry-After": str(RETRY_AFTER_S)} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return JSONResponse(problem, status, retry_after | (headers or {}), media_type=PROBLEM_JSON)
