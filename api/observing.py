"""What is seen of every request: its count, and a log line when something unforeseen happened."""

from asyncio import CancelledError
from http import HTTPMethod

import structlog
from prometheus_client import Counter
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.error_responses import unexpected_error_response

log = structlog.stdlib.get_logger(__name__)

#: The status that is counted when the client went away before the answer (nginx's convention).
_CLIENT_WENT_AWAY = 499


class RequestObserver:
    """ASGI middleware, the outermost one: no traceback gets past it, neither to the client nor to the server."""

    def __init__(self, app: ASGIApp, requests: Counter) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request and count it by method, route and status."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except ClientDisconnect:
            status = _CLIENT_WENT_AWAY
        except CancelledError:  # the task ends here anyway; the server would log a traceback for it
            log.warning("request cut short by the end of the server", path=scope["path"], method=scope["method"])
        except Exception:
            log.exception("request failed", path=scope["path"], method=scope["method"])
            if status:  # the head of the answer is out: all that is left is to break the connection
                raise
            await unexpected_error_response(Request(scope))(scope, receive, send_noted)
        finally:
            self._requests.labels(_method_of(scope), _route_of(scope), str(status or _CLIENT_WENT_AWAY)).inc()


def _method_of(scope: Scope) -> str:
    """The method; those that a robot made up are counted together."""
    return scope["method"] if scope["method"] in HTTPMethod.__members__ else "other"


def _route_of(scope: Scope) -> str:
    """The route's pattern, never the path: a label for each album or probing robot would never be forgotten."""
    return getattr(scope.get("route"), "path", "unmatched")
