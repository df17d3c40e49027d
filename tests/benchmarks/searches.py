"""Searches against a running server: as fast as it answers, or at a fixed rate."""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlsplit

from tests.benchmarks.measuring import percentile

_HEADERS = {"Content-Type": "image/jpeg"}


@dataclass(frozen=True)
class Load:
    """What the callers of one run saw."""

    callers: int
    seconds: float
    #: Of the answers with status 200.
    latencies_ms: list[float]
    #: Other statuses; "503 + Retry-After" apart from a bare 503.
    refusals: dict[str, int]

    def figures(self) -> dict[str, object]:
        """Sum up, for the table and the JSON."""
        known = {f"p{percent}_ms": round(percentile(self.latencies_ms, percent), 1) for percent in (50, 95, 99)}
        rate = {"answered": len(self.latencies_ms), "per_s": round(len(self.latencies_ms) / self.seconds, 1)}
        return {"callers": self.callers, **rate, **known, "refused": self.refusals}


class _Caller:
    """One connection that is kept."""

    def __init__(self, url: str, album: str) -> None:
        self._host = urlsplit(url).netloc
        self._path = f"/v1/albums/{album}/search"
        self._connection = http.client.HTTPConnection(self._host, timeout=60)

    def search(self, selfie: bytes) -> tuple[str, float]:
        """Send one search; returns the status, and the Retry-After in seconds."""
        try:
            self._connection.request("POST", self._path, selfie, _HEADERS)
            answer = self._connection.getresponse()
            answer.read()
        except OSError as error:  # a server that hangs up on a refused body
            self._connection.close()
            return type(error).__name__, 0
        wait_s = answer.getheader("Retry-After")
        return (f"{answer.status} + Retry-After", float(wait_s)) if wait_s else (str(answer.status), 0)


def search_closed_loop(url: str, album: str, selfies: Sequence[bytes], callers: int, seconds: float) -> Load:
    """Have some callers search, each as soon as it was answered; who is refused comes back when it was told to."""
    numbers, guard = count(), threading.Lock()
    latencies_ms: list[float] = []
    refusals: Counter[str] = Counter()
    began_s = time.monotonic()

    def call(_: int) -> None:
        caller = _Caller(url, album)
        while (sent_s := time.monotonic()) < began_s + seconds:
            status, wait_s = caller.search(selfies[next(numbers) % len(selfies)])
            with guard:
                if status == "200":
                    latencies_ms.append(1000 * (time.monotonic() - sent_s))
                else:
                    refusals[status] += 1
            time.sleep(wait_s)

    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(call, range(callers)))
    return Load(callers, time.monotonic() - began_s, latencies_ms, dict(refusals))


def search_at_rate(
    url: str, album: str, selfies: Sequence[bytes], per_s: float, goes_on: Callable[[float], bool]
) -> Load:
    """Search at fixed moments, whatever becomes of earlier ones; the time counts from the moment that was meant.

    Args:
        url: of the server.
        album: to search in.
        selfies: taken in turn.
        per_s: searches a second.
        goes_on: is given the seconds so far.
    """
    local = threading.local()

    def search(due_s: float, selfie: bytes) -> tuple[str, float]:
        if not hasattr(local, "caller"):
            local.caller = _Caller(url, album)
        status, _ = local.caller.search(selfie)
        return status, 1000 * (time.monotonic() - due_s)

    began_s, running = time.monotonic(), []
    with ThreadPoolExecutor(64) as pool:
        for number in count():
            due_s = began_s + number / per_s
            if not goes_on(due_s - began_s):
                break
            time.sleep(max(0.0, due_s - time.monotonic()))
            running.append(pool.submit(search, due_s, selfies[number % len(selfies)]))
    seen = [each.result() for each in running]
    refusals = Counter(status for status, _ in seen if status != "200")
    return Load(1, time.monotonic() - began_s, [ms for status, ms in seen if status == "200"], dict(refusals))
