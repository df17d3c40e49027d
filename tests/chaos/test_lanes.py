"""Every row is run, by whoever has a fleet for it, with any number of processes."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from xdist.remote import Producer

from tests.chaos.lanes import LaneScheduling
from tests.chaos.rows import BY_LENGTH, KIND_OF, TIMED

FAULTS = [row.fault for row in BY_LENGTH]
TESTS = [
    f"matrix.py::{name}" for name in ("control", *(f"test[{each}]" for each in (*FAULTS, "one", "fleet", "qdrant")))
]


@dataclass(eq=False)
class Process:
    """Runs a test when it knows the next one, or that there is none."""

    gateway: Any = field(default_factory=lambda: SimpleNamespace(id="gw"))
    waiting: list[int] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    shutting_down: bool = False

    def send_runtest_some(self, indices: list[int]) -> None:
        self.waiting += indices

    def shutdown(self) -> None:
        self.shutting_down = True

    def run_one(self) -> bool:
        if len(self.waiting) > 1 or (self.waiting and self.shutting_down):
            self.done.append(self.waiting.pop(0))
            return True
        return False

    def fleets(self) -> list[str]:
        """List the kinds of the fleets that it started, one after the other."""
        faults = [TESTS[index].removesuffix("]").partition("[")[2] for index in self.done]
        kinds = [KIND_OF[fault] for fault in faults if fault]
        return [kind for before, kind in zip([None, *kinds], kinds, strict=False) if kind != before]


@pytest.mark.parametrize(("count", "most"), [(1, 4), (2, 4), (4, 5), (6, 7)])
def test_every_row_is_run_once_on_few_fleets(count: int, most: int) -> None:
    config: Any = SimpleNamespace(getvalue=lambda _: [f"{count}*popen"], option=SimpleNamespace(loadscopereorder=False))
    lanes, processes = LaneScheduling(config, Producer("lanes", enabled=False)), [Process() for _ in range(count)]
    for each in processes:
        lanes.add_node(each)  # type: ignore[arg-type]  what a process does, without one
        lanes.add_node_collection(each, TESTS)  # type: ignore[arg-type]  the same
    lanes.schedule()
    while busy := [each for each in processes if each.run_one()]:
        for each in busy:
            lanes.mark_test_complete(each, each.done[-1])  # type: ignore[arg-type]  the same
    done = [index for each in processes for index in each.done]
    assert sorted(done) == list(range(len(TESTS)))
    assert lanes.tests_finished
    assert sum(len(each.fleets()) for each in processes) <= most
    last = [TESTS[each.done[-1]] for each in processes if each.done]
    assert any(f"test[{fault}]" in name for fault in TIMED for name in last)
