"""A TCP proxy that does harm: toxiproxy's verbs, and HTTP errors. One thread runs the loop of all proxies."""

import asyncio
import random
import socket
import struct
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, Literal, TypeVar

Verb = Literal["latency", "timeout", "reset", "slow_close", "bandwidth", "truncate", "http", "down"]

T = TypeVar("T")

_CHUNK_BYTES = 64 * 1024
_METHODS = (b"GET ", b"PUT ", b"HEAD ", b"POST ", b"DELETE ")


@dataclass(frozen=True)
class Toxic:
    """What happens to some of the requests, or chunks of bytes, that pass."""

    verb: Verb
    #: Share of requests that are hit, 0-1.
    share: float = 1
    #: Seconds (latency, slow_close), bytes a second (bandwidth), bytes (truncate, reset), status (http).
    amount: float = 0
    #: Only requests that contain this.
    match: bytes = b""
    #: What an HTTP error says in its body.
    code: str = "InternalError"


@dataclass(eq=False)
class _Link:
    """One client's connection, in the loop's thread only."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    #: What the current request was given; None: it passes.
    toxic: Toxic | None = None
    answered_bytes: int = 0
    #: What was asked last, until the answer begins.
    asked: bytes = b""


class LinkBrokenError(Exception):
    """The connection ends here, on purpose."""


@dataclass
class FaultProxy:
    """Stands before one server; `toxic` may be replaced at any moment by any thread."""

    upstream_port: int
    seed: int = 0
    toxic: Toxic | None = None
    #: How often each verb hit.
    hits: Counter[str] = field(default_factory=Counter)
    port: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._loop = asyncio.new_event_loop()
        #: Never set; it keeps those who wait for it from being collected as garbage.
        self._never = asyncio.Event()
        self._links: set[_Link] = set()
        self._thread = Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._thread.start()
        self.port = self._call(self._listen())

    def close(self) -> None:
        """Stop listening and cut every connection."""
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self, match: bytes = b"") -> int:
        """Break every connection now, as a server that is killed does.

        Returns:
            How many of them waited for the answer to a request that contains this.
        """
        return self._call(self._cut(match))

    async def _cut(self, match: bytes) -> int:
        hit = sum(bool(link.asked) and match in link.asked for link in self._links)
        for link in self._links:
            link.client.transport.abort()
            link.server.transport.abort()
        return hit

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        # Transports that were aborted let go of their sockets in the next round of the loop.
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream_port)
            ends.append(up_writer)
            await self._relay(_Link(writer, up_writer), reader, up_reader)
        except (OSError, asyncio.CancelledError):
            # Nobody is upstream, or the proxy closes; asyncio reports a handler that ends cancelled as an error.
            for end in ends:
                end.transport.abort()

    async def _relay(self, link: _Link, reader: asyncio.StreamReader, up_reader: asyncio.StreamReader) -> None:
        self._links.add(link)
        pumps = [
            asyncio.ensure_future(self._pump(reader, link.server, link, self._on_request)),
            asyncio.ensure_future(self._pump(up_reader, link.client, link, self._on_answer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._links.discard(link)
            for pump in pumps:
                pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        if self.toxic and self.toxic.verb == "slow_close":
            self.hits["slow_close"] += 1
            await asyncio.sleep(self.toxic.amount)
        for end in (link.client, link.server):
            end.transport.abort() if link.toxic else end.close()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        link: _Link,
        inspect: Callable[[bytes, _Link], Coroutine[Any, Any, bytes]],
    ) -> None:
        with suppress(LinkBrokenError, OSError):
            while chunk := await reader.read(_CHUNK_BYTES):
                writer.write(await inspect(chunk, link))
                await writer.drain()

    async def _on_request(self, chunk: bytes, link: _Link) -> bytes:
        """Decide once for each request; protocols other than HTTP have one for each chunk."""
        toxic = self.toxic
        link.asked = chunk if chunk.startswith(_METHODS) else link.asked
        if toxic and toxic.match not in chunk:
            toxic = None
        is_body = toxic is not None and toxic.verb in ("http", "truncate") and not chunk.startswith(_METHODS)
        if toxic is None or is_body or self._random.random() >= toxic.share:
            link.toxic = None
            return chunk
        link.toxic, link.answered_bytes = toxic, 0
        self.hits[toxic.verb] += 1
        if toxic.verb == "latency":
            await asyncio.sleep(toxic.amount)
        elif toxic.verb == "timeout":
            await self._never.wait()
        elif toxic.verb == "down":
            _reset(link.client)
            raise LinkBrokenError
        elif toxic.verb == "http":
            link.client.write(_http_error(int(toxic.amount), toxic.code, head=chunk.startswith(b"HEAD ")))
            await link.client.drain()
            link.toxic = None
            raise LinkBrokenError
        return chunk

    async def _on_answer(self, chunk: bytes, link: _Link) -> bytes:
        toxic, link.asked = link.toxic, b""
        if toxic is None:
            return chunk
        link.answered_bytes += len(chunk)
        if toxic.verb == "bandwidth":
            await asyncio.sleep(len(chunk) / toxic.amount)
        elif toxic.verb in ("truncate", "reset") and link.answered_bytes > toxic.amount:
            kept = chunk[: max(0, int(toxic.amount) - link.answered_bytes + len(chunk))]
            link.client.write(kept)
            await link.client.drain()
            if toxic.verb == "reset":
                _reset(link.client)
            raise LinkBrokenError
        return chunk


def _http_error(status: int, code: str, *, head: bool) -> bytes:
    body = (
        b"" if head else f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>planted</Message></Error>".encode()
    )
    lines = (f"HTTP/1.1 {status} Planted", "Content-Type: application/xml", f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "Connection: close", "", "")).encode() + body


def _reset(writer: asyncio.StreamWriter) -> None:
    """Have the kernel send RST instead of FIN."""
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
