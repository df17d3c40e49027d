"""Whom a server listens to that trusts its own machine: a web page must not become a client of it.

A page that the user has open can have the browser reach 127.0.0.1, under a name of the page's own (DNS rebinding) or by
a form. Both show: in the header `Host`, or in `Origin`, which browsers send with every write and pages cannot change.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.dependencies import Services
from api.error_responses import ForeignOrigin, UntrustedHost, problem_response
from facefleet.errors import RequestError

_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class TrustedHosts:
    """ASGI middleware: refuses names that are not this server's, and writes that a foreign page sends."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._on_loopback = services.on_loopback
        names = services.settings.trusted_hosts.split(",")
        self._named = frozenset(name.strip().lower() for name in names if name.strip())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or answer with a problem."""
        refusal = self._refuse(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await problem_response(Request(scope), refusal)(scope, receive, send)

    def _refuse(self, scope: Scope) -> RequestError | None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        name = _name_of(host)
        if self._on_loopback and name not in _LOOPBACK_HOSTS | self._named:
            return UntrustedHost(f"this server is not called {name!r}: add the name to FACEFLEET_TRUSTED_HOSTS")
        if origin is None or scope["method"] in _READS:
            return None
        place = origin.partition("://")[2]
        if place.lower() != host.lower() and _name_of(place) not in self._named:
            return ForeignOrigin(f"pages of {origin} may not write here: add its name to FACEFLEET_TRUSTED_HOSTS")
        return None


def _name_of(host: str) -> str:
    """Take the port off a `Host`; empty for what is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
