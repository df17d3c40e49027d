"""`search`: one image in, the photos of each of its people out."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import AlbumOption, JsonOption
from cli.searching import SearchRequest, run_search


def search(
    image: Annotated[Path, typer.Argument(help="A photo with the face to look for.", show_default=False)],
    album: AlbumOption,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many candidates for each face.")] = None,
    min_similarity: Annotated[
        float | None, typer.Option(min=-1, max=1, help="Smallest cosine similarity of a candidate.")
    ] = None,
    *,
    json: JsonOption = False,
) -> None:
    """Find the people of a photo in an album, best match first.

    Every face of the image gets its own candidates.

    Example: [bold]facefleet search selfie.jpg --album wedding --limit 20[/bold]
    """
    run_search(SearchRequest(image, album, limit, min_similarity, json))
