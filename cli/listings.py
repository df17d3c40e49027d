"""`albums`, `photos`, `faces`: what the ledger knows."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from cli.client import ApiClient, QueryValue
from cli.connection import connect
from cli.options import AlbumOption, JsonOption
from cli.output import format_box, print_json, print_table

_PHOTO_FIELDS = ("photo", "state", "reason", "faces")
_PAGE = 1000
_FACE_FIELDS = ("photo", "face_id", "box", "detection_score", "quality")


def albums(*, json: JsonOption = False) -> None:
    """List the albums with their counts."""
    with connect() as client:
        found = client.get("albums")["albums"]
    if json:
        print_json(found)
        return
    rows = [[each[key] for key in ("name", "photos", "indexed", "dead", "faces")] for each in found]
    print_table("Albums", ["Album", "#Photos", "#Indexed", "#Dead", "#Faces"], rows)


def photos(
    album: AlbumOption,
    state: Annotated[
        str | None, typer.Option(help="Only photos in this state: pending, leased, indexed or dead.")
    ] = None,
    *,
    json: JsonOption = False,
) -> None:
    """List the photos of an album, and why a dead one is dead.

    Example: [bold]facefleet photos --album wedding --state dead[/bold]
    """
    with connect() as client:
        found = list(walk_pages(client, "albums", album, "photos", state=state))
    if json:
        print_json([{key: each[key] for key in _PHOTO_FIELDS} for each in found])
        return
    rows = [[each["photo"], each["state"], each["faces"], each["detail"] or each["reason"]] for each in found]
    print_table(f"{album}: {len(rows)} photos", ["Photo", "State", "#Faces", "Why"], rows)


def faces(album: AlbumOption, *, json: JsonOption = False) -> None:
    """List every face of an album. Boxes are x, y, width, height in pixels of the upright photo."""
    with connect() as client:
        found = list(walk_pages(client, "albums", album, "faces"))
    if json:
        print_json([{key: each[key] for key in _FACE_FIELDS} for each in found])
        return
    rows = [
        [each["photo"], format_box(each["box"]), f"{each['detection_score']:.2f}", f"{each['quality']['overall']:.2f}"]
        for each in found
    ]
    print_table(f"{album}: {len(rows)} faces", ["Photo", "Box", "#Score", "#Quality"], rows)


def walk_pages(client: ApiClient, *path: str, **query: QueryValue) -> Iterator[dict[str, Any]]:
    """Read a listing to its end; the last part of the path names the list in the answer."""
    after = None
    while True:
        page = client.get(*path, **query, after=after, limit=_PAGE)
        yield from page[path[-1]]
        after = page["next"]
        if after is None:
            return
