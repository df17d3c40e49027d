"""The batcher: order, isolation, bounds and draining, driven by events."""

import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future

import pytest

from facefleet.errors import Overloaded, RecognizerUnavailable
from facefleet.recognition.batcher import Batcher, BatchPolicy
from tests.fixtures.processes import wait_until

BOUND_S = 10


class Gate:
    """A model that waits until it is opened, and remembers what it was given."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered = threading.Event()
        self.batches: list[tuple[Hashable, list[object]]] = []

    def run_batch(self, key: Hashable, items: Sequence[object]) -> list[object]:
        self.batches.append((key, list(items)))
        self.entered.set()
        assert self.opened.wait(BOUND_S)
        if "poison" in items:
            raise RuntimeError("poison")
        return [f"{item}!" for item in items]


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def start(gate: Gate) -> Iterator[Callable[..., Batcher[object, object]]]:
    batchers: list[Batcher[object, object]] = []

    def start_one(max_size: int = 4, max_wait_s: float = 0.0, queue_size: int = 100) -> Batcher[object, object]:
        batchers.append(Batcher(gate.run_batch, BatchPolicy(max_size, max_wait_s, queue_size, runners=1)))
        return batchers[-1]

    yield start_one
    gate.opened.set()
    for batcher in batchers:
        batcher.close()


def occupy(batcher: Batcher[object, object], gate: Gate) -> Future[object]:
    """Keep the only runner busy, so that what follows queues up."""
    first = batcher.submit("k", "first")
    assert gate.entered.wait(BOUND_S)
    return first


def results(futures: Sequence[Future[object]]) -> list[object]:
    return [future.result(BOUND_S) for future in futures]


def test_urgent_goes_before_bulk_and_the_oldest_first(gate: Gate, start: Callable[..., Batcher]) -> None:
    batcher = start(max_size=1)
    futures = [occupy(batcher, gate), *(batcher.submit("k", name) for name in ("bulk-1", "bulk-2"))]
    futures += [batcher.submit("k", name, urgent=True) for name in ("urgent-1", "urgent-2")]
    gate.opened.set()
    results(futures)
    assert [items for _, items in gate.batches] == [["first"], ["urgent-1"], ["urgent-2"], ["bulk-1"], ["bulk-2"]]


def test_a_batch_holds_one_key_and_the_others_keep_their_place(gate: Gate, start: Callable[..., Batcher]) -> None:
    batcher = start(max_size=2)
    futures = [occupy(batcher, gate), *(batcher.submit(key, f"{key}{n}") for n in (1, 2) for key in "abc")]
    gate.opened.set()
    assert results(futures[1:]) == ["a1!", "b1!", "c1!", "a2!", "b2!", "c2!"]
    assert gate.batches[1:] == [("a", ["a1", "a2"]), ("b", ["b1", "b2"]), ("c", ["c1", "c2"])]


def test_a_full_batch_does_not_wait_for_its_age(gate: Gate, start: Callable[..., Batcher]) -> None:
    gate.opened.set()
    batcher = start(max_size=2, max_wait_s=3600)
    assert results([batcher.submit("k", 1), batcher.submit("k", 2)]) == ["1!", "2!"]
    assert gate.batches == [("k", [1, 2])]


def test_an_urgent_item_waits_for_no_company(gate: Gate, start: Callable[..., Batcher]) -> None:
    gate.opened.set()
    batcher = start(max_size=8, max_wait_s=3600)
    assert batcher.submit("k", 1, urgent=True).result(BOUND_S) == "1!"


def test_an_old_batch_closes_before_it_is_full(gate: Gate, start: Callable[..., Batcher]) -> None:
    gate.opened.set()
    assert start(max_size=8, max_wait_s=0.01).submit("k", 1).result(BOUND_S) == "1!"


def test_a_poison_item_does_not_sink_its_neighbours(gate: Gate, start: Callable[..., Batcher]) -> None:
    batcher = start(max_size=3)
    first = occupy(batcher, gate)
    before, poison, after = (batcher.submit("k", item) for item in ("before", "poison", "after"))
    gate.opened.set()
    assert results([first, before, after]) == ["first!", "before!", "after!"]
    with pytest.raises(RuntimeError, match="poison"):
        poison.result(BOUND_S)


def test_too_few_results_fail_every_caller() -> None:
    batcher: Batcher[int, int] = Batcher(lambda _key, _items: [], BatchPolicy(2, 0.0, 10, 1))
    with pytest.raises(ValueError, match="argument"):
        batcher.submit("k", 1).result(BOUND_S)
    batcher.close()


def test_a_full_queue_refuses_urgent_items(gate: Gate, start: Callable[..., Batcher]) -> None:
    batcher = start(max_size=1, queue_size=2)
    futures = [occupy(batcher, gate), *(batcher.submit("k", n, urgent=True) for n in range(2))]
    with pytest.raises(Overloaded):
        batcher.submit("k", "one too many", urgent=True)
    futures.append(batcher.submit("k", "bulk has room of its own"))
    gate.opened.set()
    results(futures)


def test_a_full_queue_makes_bulk_wait_for_room(gate: Gate, start: Callable[..., Batcher]) -> None:
    batcher = start(max_size=1, queue_size=1)
    futures = [occupy(batcher, gate), batcher.submit("k", "fills the queue")]
    submitted = threading.Event()

    def submit_one_more() -> None:
        futures.append(batcher.submit("k", "waits"))
        submitted.set()

    thread = threading.Thread(target=submit_one_more)
    thread.start()
    assert not submitted.wait(0.05)
    gate.opened.set()
    assert submitted.wait(BOUND_S)
    thread.join(BOUND_S)
    assert results(futures) == ["first!", "fills the queue!", "waits!"]


def test_closing_answers_what_waits_and_refuses_what_comes(gate: Gate, start: Callable[..., Batcher]) -> None:
    batcher = start(max_size=1, max_wait_s=3600)
    futures = [occupy(batcher, gate), *(batcher.submit("k", n) for n in range(3))]
    closing = threading.Thread(target=batcher.close)
    closing.start()
    gate.opened.set()
    closing.join(BOUND_S)
    assert not closing.is_alive()
    assert results(futures) == ["first!", "0!", "1!", "2!"]
    with pytest.raises(RecognizerUnavailable):
        batcher.submit("k", "late")


def test_what_nobody_waits_for_any_more_is_not_run(gate: Gate, start: Callable[..., Batcher]) -> None:
    batcher = start(max_size=4)
    first, gone, kept = occupy(batcher, gate), batcher.submit("k", "gone"), batcher.submit("k", "kept")
    assert gone.cancel()
    gate.opened.set()
    assert results([first, kept]) == ["first!", "kept!"]
    assert gate.batches[1:] == [("k", ["kept"])]


def test_bulk_leaves_a_runner_free_while_urgent_items_come(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facefleet.recognition.batcher._KEPT_FREE_S", BOUND_S)
    batcher = Batcher(gate.run_batch, BatchPolicy(max_size=1, max_wait_s=0.0, queue_size=100, runners=2))
    gate.opened.set()
    batcher.submit("k", "search", urgent=True).result(BOUND_S)
    gate.opened.clear()
    gate.entered.clear()
    bulk = [batcher.submit("k", name) for name in ("photo", "another")]
    assert gate.entered.wait(BOUND_S)
    next_search = batcher.submit("k", "next search", urgent=True)
    wait_until(lambda: ("k", ["next search"]) in gate.batches, "the next search is worked on")
    assert ("k", ["another"]) not in gate.batches
    gate.opened.set()
    assert results([next_search, *bulk]) == ["next search!", "photo!", "another!"]
    batcher.close()


def test_without_urgent_items_every_runner_works_on_bulk(gate: Gate) -> None:
    batcher = Batcher(gate.run_batch, BatchPolicy(max_size=1, max_wait_s=0.0, queue_size=100, runners=2))
    bulk = [batcher.submit("k", name) for name in ("photo", "another")]
    wait_until(lambda: len(gate.batches) == len(bulk), "both are worked on")
    gate.opened.set()
    assert sorted(map(str, results(bulk))) == ["another!", "photo!"]
    batcher.close()
