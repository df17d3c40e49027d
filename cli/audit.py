"""`audit`: who searched, deleted and handed out what, and whether the log is whole."""

import json as json_module
from contextlib import closing
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from cli.options import JsonOption
from cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from facefleet.ledger.audit_chain import AuditRow, Verified
    from facefleet.ledger.engine import Ledger

#: The log was tampered with.
EXIT_BROKEN = 3


def audit(
    album: Annotated[
        str | None, typer.Option("--album", "-a", help="Only this album: its name, or its id.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most this many rows, the newest.")] = 50,
    *,
    verify: Annotated[bool, typer.Option("--verify", help="Read the whole log and look for a broken row.")] = False,
    expect: Annotated[
        str | None,
        typer.Option(help="A row that --verify named earlier: it has to be there still.", show_default=False),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show the audit log, or check that nobody changed it.

    It reads the ledger itself: run it with the settings of the server (FACEFLEET_LEDGER_URL, FACEFLEET_AUDIT_SECRET).
    Exit status 3: the log was changed; the first row that does not fit is named.

    Example: [bold]facefleet audit --verify --expect 41:hmac-sha256:2f0c...[/bold]
    """
    from cli.composition import load_settings, open_operators_ledger  # noqa: PLC0415  see cli.whereabouts
    from facefleet.ledger.audit_chain import parse_head  # noqa: PLC0415  the same

    expected = parse_head(expect) if expect else None
    with closing(open_operators_ledger(load_settings())) as ledger:
        if verify or expected:
            _print_verified(ledger.audit.verify(expected), as_json=json)
            return
        rows = ledger.audit.page(limit, object_ids=_ids_of(ledger, album) if album else None)
    if json:
        print_json([_as_result(row) for row in rows])
        return
    table = [[row.sequence, _moment(row), row.who, row.tenant, row.action, row.object_id, row.outcome] for row in rows]
    print_table("Audit log, newest first", ["#Row", "When", "Who", "Tenant", "What", "On", "Outcome"], table)


def _ids_of(ledger: "Ledger", album: str) -> list[str]:
    """Name an album as the log does; of one that is gone only the id is known."""
    named = [str(each.id) for each in ledger.albums.named(album)]
    try:
        return [*named, str(UUID(album))]
    except ValueError:
        return named


def _as_result(row: "AuditRow") -> dict[str, object]:
    return {
        "row": row.sequence,
        "at": _moment(row),
        "who": row.who,
        "tenant": row.tenant,
        "action": row.action,
        "object_id": row.object_id,
        "outcome": json_module.loads(row.outcome),
        "hash": row.hash,
    }


def _moment(row: "AuditRow") -> str:
    return row.at.isoformat(timespec="milliseconds")


def _print_verified(verified: "Verified", *, as_json: bool) -> None:
    head = str(verified.head) if verified.head else None
    removed = verified.removed.sequence if verified.removed else 0
    if as_json:
        facts = {"rows": verified.rows, "removed_rows": removed, "unkeyed_rows": verified.unkeyed_rows, "head": head}
        print_json(facts | {"broken_at": verified.broken_at, "why": verified.why})
    elif verified.broken_at is None:
        older = f", of which 1 to {removed} were removed for their age" if removed else ""
        typer.echo(f"The log is whole: {verified.rows} rows{older}." + (f" The newest is {head}" if head else ""))
    else:
        typer.echo(f"The log is broken at row {verified.broken_at}: {verified.why}.")
    last_unkeyed = removed + verified.unkeyed_rows
    if removed < last_unkeyed < verified.rows and not as_json:
        say(f"Rows {removed + 1} to {last_unkeyed} carry no key: whoever had the database could have written them all.")
    if verified.broken_at is not None:
        raise typer.Exit(EXIT_BROKEN)
