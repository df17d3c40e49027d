"""How many bytes a request may send, counted as they arrive."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Enough for every JSON body of the API.
SMALL_BODY_BYTES = 64 * 1024
_LIMIT_KEY = "facefleet.body_limit_bytes"


class BodyTooLarge(HTTPException):
    """The request has more bytes than the route takes.

    An HTTPException, because FastAPI turns anything else that is raised while it reads a body into a 400.
    """

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(413, f"The request body is larger than the {limit_bytes:,} bytes that are accepted here.")


class BodyLimit:
    """ASGI middleware: every body is small, unless its route called `allow_body`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on with a `receive` that counts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[_LIMIT_KEY] = SMALL_BODY_BYTES
        announced_bytes = _announced_bytes(scope)
        received_bytes = 0

        async def receive_counted() -> Message:
            nonlocal received_bytes
            limit_bytes: int = scope[_LIMIT_KEY]
            if announced_bytes > limit_bytes:
                raise BodyTooLarge(limit_bytes)
            message = await receive()
            received_bytes += len(message.get("body", b""))
            if received_bytes > limit_bytes:
                raise BodyTooLarge(limit_bytes)
            return message

        await self._app(scope, receive_counted, send)


def allow_body(request: Request, limit_bytes: int) -> None:
    """Let this request send up to `limit_bytes`; to be called before its body is read."""
    request.scope[_LIMIT_KEY] = limit_bytes


def _announced_bytes(scope: Scope) -> int:
    """Content-Length, or 0 where it is absent or nonsense: the bytes are counted anyway."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    values = [value for name, value in headers if name == b"content-length"]
    return int(values[0]) if values and values[0].isdigit() else 0
