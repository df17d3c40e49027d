"""The line that searches stand in: first come, first served, and nobody in vain."""

import math
import time
from asyncio import Semaphore
from collections import deque
from collections.abc import Callable
from statistics import median
from typing import TypeVar

from anyio import to_thread

from facefleet.errors import Overloaded
from facefleet.settings import Settings

Result = TypeVar("Result")

#: The middle one of so many searches says how long the next ones take: a single slow image says nothing.
_REMEMBERED = 32


class SearchQueue:
    """Lets a few searches work at once; the others wait in the order in which they came.

    More at once would answer none of them sooner: they would take processor, interpreter and memory from each other,
    and who came first would not leave first. Who would wait for too long is told to come back instead, before the image
    is read. Belongs to the event loop.
    """

    def __init__(self, settings: Settings) -> None:
        self._at_once = settings.resolved_search_threads
        self._most = settings.max_search_queue
        self._longest_wait_s = settings.max_search_wait_s
        self._turns = Semaphore(self._at_once)
        self._inside = 0
        self._lately_s = deque([0.0], _REMEMBERED)

    def require_room(self) -> None:
        """Return when a search that comes now will be answered in time.

        Raises:
            Overloaded: it would wait for too long, or too many images are in memory.
        """
        ahead = max(0, self._inside + 1 - self._at_once)
        wait_s = ahead * median(self._lately_s) / self._at_once
        if self._inside >= self._most or wait_s > self._longest_wait_s:
            sentence = "as many searches as this server takes are in work already; come back soon"
            raise Overloaded(sentence, max(1, math.ceil(wait_s)))

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do one search in a thread, when it is its turn.

        Raises:
            Overloaded: as `require_room` says it.
        """
        self.require_room()
        self._inside += 1
        try:
            async with self._turns:
                began_s = time.monotonic()
                try:
                    return await to_thread.run_sync(work)
                finally:
                    self._lately_s.append(time.monotonic() - began_s)
        finally:
            self._inside -= 1
