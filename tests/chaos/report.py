"""The table of a run."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One row of the matrix, over all its runs."""

    fault: str
    runs: int
    injected: int
    landed: int
    photos: int
    lost: int
    duplicate_effects: int
    worst_recovery_s: float
    expected: str
    seeds: Sequence[int]


_HEAD = (
    "| fault | runs | injected | seen to land | photos | lost | duplicate effects | worst recovery | besides |",
    "|---|--:|--:|--:|--:|--:|--:|--:|---|",
)


def render(lines: Sequence[Line]) -> str:
    """Write the table in Markdown."""
    rows = [
        f"| {each.fault} | {each.runs} | {each.injected} | {each.landed} | {each.photos} | {each.lost} "
        f"| {each.duplicate_effects} | {each.worst_recovery_s:.1f} s | {each.expected} |"
        for each in lines
    ]
    seeds = sorted({seed for each in lines for seed in each.seeds})
    return "\n".join((*_HEAD, *rows, "", f"Seeds: {', '.join(map(str, seeds))}."))
