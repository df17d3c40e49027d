"""How many bytes a request may send, and how slowly, counted as they arrive."""

import asyncio
import time

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Enough for every JSON body of the API.
SMALL_BODY_BYTES = 64 * 1024
#: A body may stall this long, and has to be faster than this on the whole: slower ones only hold places.
BODY_GRACE_S = 20.0
_LEAST_BYTES_PER_S = 2048
#: Who sends too much may finish this much more, to read the answer in peace; then the connection is closed.
_LINGER_BYTES = 16 * 1024 * 1024
_LINGER_S = 1.0
_LIMIT_KEY = "facefleet.body_limit_bytes"


class BodyTooLarge(HTTPException):
    """The request has more bytes than the route takes.

    An HTTPException, because FastAPI turns anything else that is raised while it reads a body into a 400.
    """

    def __init__(self, limit_bytes: int, *, more_to_come: bool) -> None:
        """Refuse a body.

        Args:
            limit_bytes: the most that the route takes.
            more_to_come: whether so much is still on its way that only the end of the connection stops it.
        """
        sentence = f"The request body is larger than the {limit_bytes:,} bytes that are accepted here."
        super().__init__(413, sentence, {"Connection": "close"} if more_to_come else None)


class BodyTooSlow(HTTPException):
    """The rest of the body does not come."""

    def __init__(self) -> None:
        super().__init__(408, "The request body comes too slowly, or not at all.", {"Connection": "close"})


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
        waited_s, is_complete = 0.0, False

        async def receive_counted() -> Message:
            nonlocal received_bytes, waited_s, is_complete
            limit_bytes: int = scope[_LIMIT_KEY]
            if announced_bytes > limit_bytes:
                raise BodyTooLarge(limit_bytes, more_to_come=announced_bytes > limit_bytes + _LINGER_BYTES)
            if is_complete:  # what comes now is the end of the connection, whenever that is
                return await receive()
            asked_s = time.monotonic()
            try:
                # Only the client's time counts, not that of a server which is slow to read.
                left_s = BODY_GRACE_S + received_bytes / _LEAST_BYTES_PER_S - waited_s
                async with asyncio.timeout(left_s):
                    message = await receive()
            except TimeoutError as error:
                raise BodyTooSlow from error
            waited_s += time.monotonic() - asked_s
            is_complete = not message.get("more_body", False)
            received_bytes += len(message.get("body", b""))
            if received_bytes > limit_bytes:
                raise BodyTooLarge(limit_bytes, more_to_come=not is_complete and not await _ends_soon(receive))
            return message

        await self._app(scope, receive_counted, send)


async def _ends_soon(receive: Receive) -> bool:
    """Throw away what comes, for a moment; returns whether that was the rest."""
    left_bytes = _LINGER_BYTES
    try:
        async with asyncio.timeout(_LINGER_S):
            while left_bytes > 0:
                message = await receive()
                if not message.get("more_body", False):
                    return True
                left_bytes -= len(message.get("body", b""))
    except TimeoutError:
        pass
    return False


def allow_body(request: Request, limit_bytes: int) -> None:
    """Let this request send up to `limit_bytes`; to be called before its body is read."""
    request.scope[_LIMIT_KEY] = limit_bytes


def _announced_bytes(scope: Scope) -> int:
    """Content-Length, or 0 where it is absent or nonsense: the bytes are counted anyway."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    values = [value for name, value in headers if name == b"content-length"]
    return int(values[0]) if values and values[0].isdigit() else 0
