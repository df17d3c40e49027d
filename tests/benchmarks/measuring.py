"""What a process tree costs, and how figures of several rounds are summed up."""

import os
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psutil


def tree_of(pid: int) -> list[psutil.Process]:
    """A process and all that it started."""
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def cpu_s_of(processes: Iterable[psutil.Process]) -> float:
    """CPU seconds so far."""
    return sum(times.user + times.system for times in (each.cpu_times() for each in processes))


def memory_mb_of(processes: Iterable[psutil.Process]) -> float:
    """Proportional memory in megabytes: pages that several share count once."""
    return sum(each.memory_full_info().pss for each in processes if each.is_running()) / 1e6


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least this many percent of the values do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * percent // 100).__int__() - 1)]


@dataclass(frozen=True)
class Spread:
    """Several rounds of one figure."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Sum up."""
        known = list(values)
        return cls(statistics.median(known), min(known), max(known))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f}-{self.most:.2f})"


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123
        names = {line.partition(":")[2].strip() for line in lines if line.startswith("model name")}
    return {
        "cpu": ", ".join(sorted(names)),
        "cores": os.cpu_count(),
        "load": [round(each, 1) for each in os.getloadavg()],
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
    }
