"""Searches that would wait for too long are sent away at the door."""

from collections.abc import Sequence

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.dependencies import stands_in_line
from api.error_responses import problem_response
from api.search_queue import SearchQueue
from facefleet.errors import Overloaded


class SearchGate:
    """ASGI middleware: refuses before a key is looked up and an image is read.

    A server that is asked for ten times what it can do would else spend itself on saying no.
    """

    def __init__(self, app: ASGIApp, searches: SearchQueue, routes: Sequence[object]) -> None:
        self._app = app
        self._searches = searches
        self._routes = [route for route in routes if isinstance(route, APIRoute) and _is_search(route)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or answer with a problem."""
        route = self._route_of(scope) if scope["type"] == "http" else None
        if route:
            try:
                self._searches.require_room()
            except Overloaded as error:
                scope["route"] = route  # for who counts requests
                await problem_response(Request(scope), error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _route_of(self, scope: Scope) -> APIRoute | None:
        path, method = scope["path"], scope["method"]
        return next(
            (each for each in self._routes if method in (each.methods or ()) and each.path_regex.match(path)), None
        )


def _is_search(route: APIRoute) -> bool:
    return any(each.dependency is stands_in_line for each in route.dependencies)
