"""`retry` and `delete`: what is done to an album that exists."""

import sys
from typing import Annotated

import typer

from cli.connection import connect
from cli.options import AlbumOption
from cli.output import say


def retry(album: AlbumOption) -> None:
    """Try the dead photos of an album again, e.g. after their files were mended."""
    with connect() as client:
        retried = client.post_json("albums", album, "retry")["retried"]
        goes_on = client.outlives_us
    say(f"{retried} photos of {album} are tried again.")
    if retried and not goes_on:
        say("No server is running: they are indexed by the next `facefleet up` or `facefleet index`.")


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
        client.delete("albums", album)
    say(f"The album {album} is deleted.")
