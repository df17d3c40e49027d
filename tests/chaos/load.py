"""Searches at a server's capacity, then ten times as often: `-m tests.chaos.load HOST PORT PROBE KEY`. Prints JSON.

A process of its own on bare sockets, so that as little as possible of what is measured is its own time.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

#: As many as the fleet's setting max_search_queue lets in.
PLACES = 8
_ROUND_S = 1.5
_ROUNDS = 3
_OK, _SHED = 200, 503


@dataclass(frozen=True)
class Answer:
    status: int
    took_ms: float
    has_retry_after: bool


@dataclass(frozen=True)
class Load:
    """One event loop owns it."""

    host: str
    port: int
    probe: bytes
    key: str

    async def ask(self, method: str = "POST", path: str = "/v1/detect", body: bytes | None = None) -> Answer:
        """Send one request on a connection of its own, and wait for the whole answer."""
        body = self.probe if body is None else body
        lines = (f"{method} {path} HTTP/1.1", "Host: localhost", "Content-Type: image/jpeg", "Connection: close")
        head = "\r\n".join((*lines, f"X-Api-Key: {self.key}", f"Content-Length: {len(body)}", "", "")).encode()
        began_s = time.monotonic()
        try:
            async with asyncio.timeout(30):
                reader, writer = await asyncio.open_connection(self.host, self.port)
                writer.write(head + body)
                answer = await reader.readuntil(b"\r\n\r\n")
                writer.transport.abort()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return Answer(0, 0, has_retry_after=False)
        took_ms = 1000 * (time.monotonic() - began_s)
        return Answer(int(answer.split(b" ", 2)[1]), took_ms, b"retry-after" in answer.lower())

    async def at_capacity(self) -> list[Answer]:
        """As many clients as there are places, each asking again at once."""
        until_s = time.monotonic() + _ROUND_S

        async def one() -> list[Answer]:
            answers = []
            while time.monotonic() < until_s:
                answers.append(await self.ask())
            return answers

        return [answer for answers in await asyncio.gather(*(one() for _ in range(PLACES))) for answer in answers]

    async def at_rate(self, per_s: float) -> list[Answer]:
        """Requests at a rate, whatever becomes of those before."""
        tasks: list[asyncio.Task[Answer]] = []
        began_s = time.monotonic()
        while (now_s := time.monotonic() - began_s) < _ROUND_S:
            while len(tasks) < per_s * now_s:
                tasks.append(asyncio.create_task(self.ask()))
            await asyncio.sleep(0.005)
        return list(await asyncio.gather(*tasks))

    async def watch_health(self, ended: asyncio.Event) -> list[Answer]:
        """Ask /healthz ten times a second."""
        answers = []
        while not ended.is_set():
            answers.append(await self.ask("GET", "/healthz", b""))
            await asyncio.sleep(0.1)
        return answers


@dataclass(frozen=True)
class Report:
    capacity_per_s: float
    offered_per_s: float
    admitted: int
    shed: int
    shed_without_retry_after: int
    unanswered: int
    #: 99th percentile of the admitted over that at capacity, in the quietest round: others use the machine, too.
    p99_ratio: float
    p99_shed_ms: float
    p99_health_ms: float
    health_not_green: int


async def measure(load: Load) -> Report:
    """Take turns, so that what else the machine does meets both alike."""
    ended = asyncio.Event()
    await load.at_capacity()
    health = asyncio.create_task(load.watch_health(ended))
    storm: list[Answer] = []
    ratios, capacity_per_s = [], 0.0
    for _ in range(_ROUNDS):
        calm = [answer for answer in await load.at_capacity() if answer.status == _OK]
        capacity_per_s = len(calm) / _ROUND_S
        answers = await load.at_rate(10 * capacity_per_s)
        ratios.append(_p99([answer for answer in answers if answer.status == _OK]) / _p99(calm))
        storm += answers
    ended.set()
    green = await health
    admitted, shed = ([each for each in storm if each.status == status] for status in (_OK, _SHED))
    return Report(
        capacity_per_s=capacity_per_s,
        offered_per_s=len(storm) / (_ROUND_S * _ROUNDS),
        admitted=len(admitted),
        shed=len(shed),
        shed_without_retry_after=sum(not each.has_retry_after for each in shed),
        unanswered=len(storm) - len(admitted) - len(shed),
        p99_ratio=min(ratios),
        p99_shed_ms=_p99(shed),
        p99_health_ms=_p99(green),
        health_not_green=sum(each.status != _OK for each in green),
    )


def _p99(answers: list[Answer]) -> float:
    return float(np.quantile([each.took_ms for each in answers], 0.99)) if answers else 0.0


if __name__ == "__main__":
    asked = Load(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]).read_bytes(), sys.argv[4])
    print(json.dumps(asdict(asyncio.run(measure(asked)))))
