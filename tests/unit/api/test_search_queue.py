"""Who waits for a search, how long, and who is sent away."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from api.search_queue import SearchQueue
from facefleet.errors import Overloaded
from facefleet.settings import Settings


@pytest.fixture
def queue_of(tmp_path: Path) -> Callable[..., SearchQueue]:
    usual = Settings(_env_file=None, data_dir=tmp_path)  # type: ignore[call-arg]  # pydantic's own

    def opened(**changed: float) -> SearchQueue:
        return SearchQueue(usual.model_copy(update=changed))

    return opened


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  what is waited for happens in this loop, and tells nobody
            await asyncio.sleep(0)


def test_searches_work_a_few_at_once_and_in_their_order(queue_of: Callable[..., SearchQueue]) -> None:
    queue = queue_of(search_threads=1)
    go_on, begun = Event(), list[int]()

    def work(number: int) -> None:
        begun.append(number)
        assert go_on.wait(10)

    async def search() -> None:
        tasks = [asyncio.create_task(queue.run(partial(work, number))) for number in range(5)]
        await until(lambda: bool(begun))
        assert begun == [0]
        go_on.set()
        await asyncio.gather(*tasks)

    asyncio.run(search())
    assert begun == [0, 1, 2, 3, 4]


def test_who_would_wait_too_long_is_told_when_to_come_back(
    queue_of: Callable[..., SearchQueue], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Searches that take ten seconds by the clock: the third would wait for twenty, with one at once."""
    queue = queue_of(search_threads=1, max_search_wait_s=15)
    now_s, go_on = [0.0], Event()
    monkeypatch.setattr("api.search_queue.time", SimpleNamespace(monotonic=lambda: now_s[0]))

    def take_ten_seconds() -> None:
        now_s[0] += 10

    async def search() -> None:
        for _ in range(3):
            await queue.run(take_ten_seconds)
        works = asyncio.create_task(queue.run(lambda: go_on.wait(10)))
        await asyncio.sleep(0)
        waits = asyncio.create_task(queue.run(take_ten_seconds))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as refused:
            await queue.run(take_ten_seconds)
        assert refused.value.retry_after_s == 20
        go_on.set()
        await asyncio.gather(works, waits)
        await queue.run(take_ten_seconds)

    asyncio.run(search())


def test_a_search_that_fails_leaves_its_place(queue_of: Callable[..., SearchQueue]) -> None:
    queue = queue_of(search_threads=1, max_search_queue=1)

    async def fail_twice() -> None:
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                await queue.run(lambda: 1 / 0)

    asyncio.run(fail_twice())
