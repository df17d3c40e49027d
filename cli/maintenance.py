"""`retry`, `rebuild`, `retention` and `delete`: what is done to an album that exists."""

import sys
from typing import Annotated

import typer

from cli.connection import connect
from cli.needs import Needs
from cli.options import AlbumOption
from cli.output import say
from facefleet.errors import InvalidRequest


def retry(album: AlbumOption) -> None:
    """Try the dead photos of an album again, e.g. after their files were mended."""
    with connect() as client:
        retried = client.retry(album)
        goes_on = client.outlives_us
    say(f"{retried} photos of {album} are tried again.")
    if retried and not goes_on:
        say("No server is running: they are indexed by the next `facefleet up` or `facefleet index`.")


def rebuild(
    album: Annotated[
        str | None, typer.Option("--album", "-a", help="Only this album; all when left out.", show_default=False)
    ] = None,
) -> None:
    """Rebuild the gallery from the ledger and the photos, after faces in it were lost.

    Photos whose faces are all there are left alone. Names and other decisions are kept in the ledger and stay.
    """
    with connect(Needs.RECOGNIZER) as client:
        names = [each.name for each in client.albums()] if album is None else [album]
        again = 0
        for name in names:
            rebuilt = client.rebuild(name)
            again += rebuilt.indexed_again
            say(f"{name}: {rebuilt.indexed_again} photos are indexed again.")
        goes_on = client.outlives_us
    if again and not goes_on:
        say("No server is running: they are indexed by the next `facefleet up` or `facefleet index`.")


def retention(
    album: AlbumOption,
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Delete it after so many days without a search.")
    ] = None,
    *,
    never: Annotated[bool, typer.Option("--never", help="Keep it.")] = False,
) -> None:
    """Say when an album that nobody searches is deleted, or show what was said.

    The days are counted from now on, or from the last search; [bold]facefleet up[/bold] or the dispatcher does it.

    Example: [bold]facefleet retention --album wedding --days 90[/bold]
    """
    if never and days is not None:
        raise InvalidRequest("--days and --never contradict each other")
    with connect() as client:
        shown = client.set_retention(album, days) if never or days is not None else client.album(album)
    kept = shown.forget_after_days
    typer.echo(f"{album} is kept." if kept is None else f"{album} is deleted after {kept} days without a search.")


def delete(
    album: Annotated[str, typer.Argument(help="Name of the album.", show_default=False)],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete an album: its faces, its rows and the photos that were uploaded to it.

    Photos that were indexed where they lie, in a folder or a bucket, are not touched.
    On a terminal the command asks first; in a script it does not.
    """
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Delete the album {album} with all its faces?", abort=True, err=True)
    with connect() as client:
        client.delete_album(album)
    say(f"The album {album} is deleted.")
