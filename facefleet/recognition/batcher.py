"""Many threads ask for one item each; a few runner threads answer them in batches."""

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from facefleet.errors import Overloaded, RecognizerUnavailable

#: After an urgent item, one runner of several leaves bulk alone for this long: the next one finds it free.
_KEPT_FREE_S = 1.0

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """How items become batches."""

    #: Most items of one batch.
    max_size: int
    #: How long the oldest bulk item waits for company; an urgent item never waits.
    max_wait_s: float
    #: Items that may wait, urgent and bulk counted apart.
    queue_size: int
    #: Threads that run batches.
    runners: int


@dataclass(slots=True)
class _Waiting(Generic[Item, Result]):
    key: Hashable
    item: Item
    urgent: bool
    future: Future[Result] = field(default_factory=Future)
    since_s: float = field(default_factory=time.monotonic)


class Batcher(Generic[Item, Result]):
    """Bounded queue in front of a function that works on batches.

    Urgent items go before bulk items, and within each kind the oldest goes first, with others of the same key.
    A batch closes when it is full or its oldest item has waited long enough. When a batch fails, its items are tried
    one by one, so that one poison item does not sink its neighbours. While urgent items come, bulk leaves one runner of
    several free.

    The lanes, `_closed` and what is known of the runners belong to one lock, which both conditions share; `run_batch`
    is called without it.
    """

    def __init__(self, run_batch: Callable[[Hashable, Sequence[Item]], Sequence[Result]], policy: BatchPolicy) -> None:
        """Start the runners.

        Args:
            run_batch: gets a key and 1 to `max_size` items of that key, returns as many results in their order.
                Called from several threads at once.
            policy: sizes and times.
        """
        self._run_batch = run_batch
        self._policy = policy
        lock = threading.Lock()
        self._work = threading.Condition(lock)
        self._room = threading.Condition(lock)
        self._urgent: deque[_Waiting[Item, Result]] = deque()
        self._bulk: deque[_Waiting[Item, Result]] = deque()
        self._bulk_batches = 0
        self._kept_free_until_s = 0.0
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"recognizer-{number}", daemon=True)
            for number in range(policy.runners)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, key: Hashable, item: Item, *, urgent: bool = False) -> Future[Result]:
        """Queue one item.

        Args:
            key: only items of one key share a batch.
            item: what `run_batch` gets.
            urgent: goes before bulk. On a full queue an urgent item is refused; a bulk item waits for room.

        Raises:
            Overloaded: urgent, and the queue is full.
            RecognizerUnavailable: the batcher is closed.
        """
        waiting: _Waiting[Item, Result] = _Waiting(key, item, urgent)
        lane = self._urgent if urgent else self._bulk
        with self._room:
            if urgent and len(lane) >= self._policy.queue_size:
                raise Overloaded("Too many searches wait for the model; come back in a moment.")
            self._room.wait_for(lambda: self._closed or len(lane) < self._policy.queue_size)
            if self._closed:
                raise RecognizerUnavailable("The recognizer is shutting down.")
            if urgent:
                self._kept_free_until_s = waiting.since_s + _KEPT_FREE_S
            lane.append(waiting)
            self._work.notify()
        return waiting.future

    def close(self) -> None:
        """Refuse new items, finish those that wait, and stop the runners."""
        with self._work:
            self._closed = True
            self._work.notify_all()
            self._room.notify_all()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while batch := self._next_batch():
            wanted = [waiting for waiting in batch if waiting.future.set_running_or_notify_cancel()]
            if wanted:
                self._answer(wanted)
            with self._work:
                self._bulk_batches -= not batch[0].urgent

    def _next_batch(self) -> list[_Waiting[Item, Result]]:
        """Wait for a batch; an empty one means closed and drained."""
        with self._work:
            while True:
                self._work.wait_for(lambda: self._urgent or self._bulk or self._closed)
                if not self._urgent and not self._bulk:
                    return []
                patience_s = self._patience_s()
                if patience_s <= 0:
                    return self._take_batch()
                self._work.wait(patience_s)

    def _patience_s(self) -> float:
        """How long the batch that is next may still wait: for company, or because this runner is kept free."""
        if self._urgent or self._closed:
            return 0.0
        if self._bulk_batches >= max(1, self._policy.runners - 1):
            kept_free_s = self._kept_free_until_s - time.monotonic()
            if kept_free_s > 0:
                return kept_free_s
        oldest = self._bulk[0]
        if sum(waiting.key == oldest.key for waiting in self._bulk) >= self._policy.max_size:
            return 0.0
        return oldest.since_s + self._policy.max_wait_s - time.monotonic()

    def _take_batch(self) -> list[_Waiting[Item, Result]]:
        first = (self._urgent or self._bulk)[0]
        self._bulk_batches += not first.urgent
        batch: list[_Waiting[Item, Result]] = []
        for lane in (self._urgent, self._bulk):
            others: list[_Waiting[Item, Result]] = []
            while lane and len(batch) < self._policy.max_size:
                waiting = lane.popleft()
                (batch if waiting.key == first.key else others).append(waiting)
            lane.extendleft(reversed(others))
        self._room.notify_all()
        if self._urgent or self._bulk:
            self._work.notify()
        return batch

    def _answer(self, batch: list[_Waiting[Item, Result]]) -> None:
        """Run a batch and hand every caller its own result or error."""
        try:
            results = self._run_batch(batch[0].key, [waiting.item for waiting in batch])
            answers = list(zip(batch, results, strict=True))
        except Exception as error:  # noqa: BLE001  # whatever it is belongs to the callers, and the runner lives on
            self._answer_failed(batch, error)
            return
        for waiting, result in answers:
            waiting.future.set_result(result)

    def _answer_failed(self, batch: list[_Waiting[Item, Result]], error: Exception) -> None:
        if len(batch) == 1:
            batch[0].future.set_exception(error)
            return
        for waiting in batch:
            self._answer([waiting])
