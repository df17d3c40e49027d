"""What a command writes: results on stdout, one JSON document or tables; words about them on stderr."""

import json
import sys
from collections.abc import Iterable, Sequence


def print_json(value: object) -> None:
    """Write the one document that a script reads; ASCII, so that no terminal's encoding can break it."""
    sys.stdout.write(json.dumps(value) + "\n")


def say(sentence: str) -> None:
    """Tell a person something, on stderr."""
    sys.stderr.write(sentence + "\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table for a person.

    Args:
        title: stands above it.
        columns: headings; those of numbers start with `#` and are right-aligned.
        rows: as many values as columns; never read as markup, and what would move the cursor is spelled.
    """
    from rich.console import Console  # noqa: PLC0415  a command that prints JSON does without
    from rich.table import Table  # noqa: PLC0415  the same
    from rich.text import Text  # noqa: PLC0415  the same

    from facefleet.names import show_name  # noqa: PLC0415  the same

    table = Table(title=Text(title, style="bold"), title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(
            column.removeprefix("#"), justify="right" if column.startswith("#") else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text("" if value is None else show_name(str(value))) for value in row))
    # A pipe has no width; 80 columns would cut file names in two.
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def format_box(box: list[float]) -> str:
    """Write a box for a person: place and size in whole pixels."""
    x, y, w, h = (round(value) for value in box)
    return f"{x},{y} {w}x{h}"
