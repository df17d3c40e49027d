"""`purge`: everything of a tenant is deleted."""

import sys
from contextlib import closing
from typing import Annotated

import typer

from cli.output import say
from facefleet.errors import InvalidRequest


def purge(
    tenant: Annotated[str, typer.Option(help="Whose albums, keys and callbacks are deleted.", show_default=False)],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete everything of a tenant: faces, rows, uploads, keys. Its rows in the audit log stay: they prove it.

    It works on the stores themselves, beside a running server of this machine or without one, and needs no key.
    Photos that were indexed where they lie, in a folder or a bucket, are not touched. To delete one album:
    [bold]facefleet delete[/bold]; one person: [bold]facefleet people purge[/bold].
    On a terminal the command asks first; in a script it does not.
    """
    from cli.composition import load_settings, open_operators_ledger  # noqa: PLC0415  see cli.whereabouts
    from cli.reaching import reach_gallery  # noqa: PLC0415  the same
    from facefleet.photo_store import open_photo_stores  # noqa: PLC0415  the same
    from facefleet.purging import purge_tenant  # noqa: PLC0415  the same

    settings = load_settings()
    with closing(open_operators_ledger(settings)) as ledger:
        if not ledger.tenants.is_known(tenant):
            raise InvalidRequest(f"there is no tenant {tenant!r}: it has neither albums nor keys")
        if not yes and sys.stdin.isatty():
            typer.confirm(f"Delete everything of the tenant {tenant}?", abort=True, err=True)
        with reach_gallery(settings) as gallery:
            albums = purge_tenant(ledger, gallery, open_photo_stores(settings), settings, tenant, who="local")
    say(f"The tenant {tenant} is deleted, with {albums} albums.")
