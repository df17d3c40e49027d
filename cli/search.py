"""`search`: one image in, the photos of each of its people out."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.connection import Needs, connect
from cli.listings import format_box
from cli.options import AlbumOption, JsonOption
from cli.output import print_json, print_table, say
from facefleet.errors import InvalidRequest

_CANDIDATE_FIELDS = ("photo", "face_id", "similarity", "box")


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
    probe = _read_probe(image)
    with connect(Needs.RECOGNIZER) as client:
        answer = client.post(
            "albums",
            album,
            "search",
            body=probe,
            content_type="application/octet-stream",
            limit=limit,
            min_similarity=min_similarity,
        )
    found = answer["faces"]
    if not found:
        say(f"No face was found in {image}.")
    if json:
        print_json([_as_result(each) for each in found])
        return
    for number, each in enumerate(found, start=1):
        _print_candidates(f"Face {number} of {len(found)} at {format_box(each['probe_face']['box'])}", each)


def _read_probe(image: Path) -> bytes:
    try:
        return image.read_bytes()
    except IsADirectoryError as error:
        raise InvalidRequest(f"{image} is a folder; a search takes one photo") from error
    except FileNotFoundError as error:
        raise InvalidRequest(f"there is no file {image}") from error
    except OSError as error:
        raise InvalidRequest(f"{image} cannot be read: {error.strerror}") from error


def _as_result(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "probe_face": {"box": found["probe_face"]["box"]},
        "candidates": [{key: each[key] for key in _CANDIDATE_FIELDS} for each in found["candidates"]],
    }


def _print_candidates(title: str, found: dict[str, Any]) -> None:
    rows = [
        [number, each["photo"], f"{each['similarity']:.3f}", format_box(each["box"])]
        for number, each in enumerate(found["candidates"], start=1)
    ]
    print_table(title if rows else f"{title}: nobody like that", ["#Rank", "Photo", "#Similarity", "Box"], rows)
