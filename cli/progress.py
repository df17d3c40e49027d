"""Progress on stderr: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from cli.following import IndexRun
from cli.output import say

#: Shows the run as it is now.
Show: TypeAlias = Callable[[IndexRun], None]

_LINE_EVERY_S = 10.0


@contextmanager
def show_progress(album: str) -> Iterator[Show]:
    """Hand out what shows a run's counts until the block ends."""
    if not sys.stderr.isatty():
        yield _lines(album)
        return
    from rich.console import Console  # noqa: PLC0415  only for terminals
    from rich.markup import escape  # noqa: PLC0415  the same
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415  the same

    columns = (TextColumn(f"[bold]{escape(album)}"), BarColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def show(run: IndexRun) -> None:
            total = None if run.listing else run.photos
            bar.update(task, completed=run.indexed + run.dead, total=total, description=describe(run))

        yield show


def describe(run: IndexRun) -> str:
    """Write a run's counts as one line for a person."""
    found = f"{run.photos}+" if run.listing else str(run.photos)
    left = run.seconds_left
    parts = [
        f"{run.indexed + run.dead}/{found} photos",
        f"{run.faces} faces",
        f"{run.photos_per_second:.1f} photos/s",
        f"{run.dead} dead",
        "" if left is None else f"{describe_duration(left)} left",
    ]
    return ", ".join(part for part in parts if part)


def describe_duration(seconds: float) -> str:
    """Write seconds as a person says them: 4 s, 3 min 20 s, 2 h 5 min."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _lines(album: str) -> Show:
    said_at = time.monotonic()

    def show(run: IndexRun) -> None:
        nonlocal said_at
        if time.monotonic() - said_at >= _LINE_EVERY_S:
            said_at = time.monotonic()
            say(f"{album}: {describe(run)}")

    return show
