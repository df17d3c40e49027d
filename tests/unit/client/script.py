"""A transport for the client that meets what a test wrote down."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

from facefleet.client.exchange import HttpAnswer, HttpRequest

#: What one request meets: an answer, a stream of jobs that is cut behind the last, or ends with none; or nobody.
Step: TypeAlias = HttpAnswer | list[bytes] | None


class Script:
    """A transport that meets what is written down; its clock only moves when somebody rests."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.now_s = 0.0

    def send(self, _request: HttpRequest) -> HttpAnswer:
        step = self.steps.pop(0)
        if step is None:
            raise ConnectionError
        assert isinstance(step, HttpAnswer)
        return step

    @contextmanager
    def stream(self, _request: HttpRequest) -> Iterator[tuple[int, Iterator[bytes]]]:
        step = self.steps.pop(0)
        if step is None:
            raise ConnectionError
        if isinstance(step, HttpAnswer):
            yield step.status, iter([step.body])
        else:
            yield 200, self._lines_of(step)

    def _lines_of(self, jobs: list[bytes]) -> Iterator[bytes]:
        for each in jobs:
            yield from (b"event: progress", b"data: " + each, b"")
        if jobs and b"done" not in jobs[-1]:
            raise ConnectionError

    def check(self) -> None:
        pass

    def close(self) -> None:
        pass

    def rest(self, seconds: float) -> None:
        self.now_s += seconds
