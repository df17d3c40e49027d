"""The table of a run, out of what each row left: `python -m tests.chaos.report RESULTS TABLE`."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


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
    """Write the table in Markdown, with its sums."""
    rows = [
        f"| {each.fault} | {each.runs} | {each.injected} | {each.landed} | {each.photos} | {each.lost} "
        f"| {each.duplicate_effects} | {each.worst_recovery_s:.1f} s | {each.expected} |"
        for each in lines
    ]
    return "\n".join((*_HEAD, *rows, "", summarize(lines)))


def summarize(lines: Sequence[Line]) -> str:
    """Say what it comes to."""
    seeds = sorted({seed for each in lines for seed in each.seeds})
    named = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    photos, lost, doubled = (
        sum(getattr(each, name) for each in lines) for name in ("photos", "lost", "duplicate_effects")
    )
    worst = max(lines, key=lambda each: each.worst_recovery_s)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {named}: {len(lines)} faults, {photos:,} photos, **{lost} lost, {doubled} "
        f"duplicate effects**, worst recovery {worst.worst_recovery_s:.0f} s ({worst.fault})."
    )


def main() -> None:
    """Put the lines together and print them."""
    found = sorted(Path(sys.argv[1]).glob("*.json"))
    table = render([Line(**json.loads(path.read_text(encoding="utf-8"))) for path in found])
    cores = len(os.sched_getaffinity(0))
    control = Path(sys.argv[1]) / "control.md"
    beside = control.read_text(encoding="utf-8") if control.is_file() else ""
    text = f"{table}\nOn {cores} cores, rows side by side.\n\n{beside}"
    Path(sys.argv[2]).write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
