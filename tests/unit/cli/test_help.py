"""What `--help` says, on terminals of the usual width."""

from itertools import pairwise

import pytest
from typer.testing import CliRunner

from cli.app import app, join_lines


def test_lines_end_where_sentences_do() -> None:
    said = join_lines("""Do it.

    It takes a
    while. So
    be it.
    It ends.

    Example: [bold]it[/bold]
    """)
    assert said == "Do it.\n\nIt takes a while. So be it.\nIt ends.\n\nExample: [bold]it[/bold]"


@pytest.mark.parametrize("command", [["export"], ["migrate"], ["models", "quantize"]])
def test_paragraphs_fill_the_terminal(command: list[str]) -> None:
    said = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "80"}).output
    lines = [line.strip() for line in said.partition("╭")[0].splitlines()]
    assert len(lines) > 8
    for line, following in pairwise(lines):
        if following and line and not line.endswith("."):
            assert len(line) + 1 + len(following.split()[0]) > 70, f"{line!r} could be longer"
