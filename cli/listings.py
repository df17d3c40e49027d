"""`albums`, `photos`, `faces`: what the ledger knows."""

from typing import Annotated

import typer

from cli.connection import connect
from cli.options import AlbumOption, JsonOption
from cli.output import format_box, print_json, print_table
from facefleet.client.answers import Face

_PHOTO_FIELDS = ("photo", "state", "reason", "faces")
_FACE_FIELDS = ("photo", "face_id", "box", "detection_score", "quality")


def albums(*, json: JsonOption = False) -> None:
    """List the albums with their counts."""
    with connect() as client:
        found = client.albums()
    if json:
        print_json([each._asdict() for each in found])
        return
    rows = [[each.name, each.photos, each.indexed, each.dead, each.faces] for each in found]
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
        found = list(client.photos(album, state))
    if json:
        print_json([{key: getattr(each, key) for key in _PHOTO_FIELDS} for each in found])
        return
    rows = [[each.photo, each.state, each.faces, each.detail or each.reason] for each in found]
    print_table(f"{album}: {len(rows)} photos", ["Photo", "State", "#Faces", "Why"], rows)


def faces(album: AlbumOption, *, json: JsonOption = False) -> None:
    """List every face of an album. Boxes are x, y, width, height in pixels of the upright photo."""
    with connect() as client:
        found = list(client.faces(album))
    if json:
        quality = [each.quality._asdict() for each in found]
        print_json([_pick(each) | {"quality": of_it} for each, of_it in zip(found, quality, strict=True)])
        return
    rows = [
        [each.photo, format_box(each.box), f"{each.detection_score:.2f}", f"{each.quality.overall:.2f}"]
        for each in found
    ]
    print_table(f"{album}: {len(rows)} faces", ["Photo", "Box", "#Score", "#Quality"], rows)


def _pick(face: Face) -> dict[str, object]:
    return {key: getattr(face, key) for key in _FACE_FIELDS}
