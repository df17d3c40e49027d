"""`doctor`: what is configured, what answers, what is missing, and how to mend it."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from cli.options import JsonOption
from cli.output import print_json, print_table

if TYPE_CHECKING:
    from cli.checks import Finding

_EXIT_UNWELL = 2


def doctor(*, json: JsonOption = False) -> None:
    """Check this machine and its settings, and say how to mend what is wrong.

    Exit status 2: something has to be mended.
    """
    from cli.checks import examine  # noqa: PLC0415  it loads about everything there is
    from cli.composition import load_settings  # noqa: PLC0415  the same

    findings = examine(load_settings())
    if json:
        print_json([asdict(each) for each in findings])
    else:
        _print(findings)
    if not all(each.ok for each in findings):
        raise typer.Exit(_EXIT_UNWELL)


def _print(findings: "list[Finding]") -> None:
    rows = [["ok" if each.ok else "MEND", each.what, each.found] for each in findings]
    print_table("Facefleet on this machine", ["", "What", "Found"], rows)
    for each in findings:
        if each.remedy:
            typer.echo(f"{each.what}: {each.remedy}")
