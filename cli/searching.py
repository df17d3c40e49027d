"""The search itself, and the short way to it: loading Typer takes longer than a search on a running server."""

import stat
from argparse import ArgumentParser
from pathlib import Path
from typing import NamedTuple, NoReturn

from cli.connection import connect
from cli.needs import Needs
from cli.output import format_box, print_json, print_table, say
from cli.whereabouts import find_whereabouts
from facefleet.client.answers import Found
from facefleet.errors import InvalidRequest

_CANDIDATE_FIELDS = ("photo", "face_id", "similarity", "similarity_percent", "box")


class SearchRequest(NamedTuple):
    """What the command line asks for; `search` in `cli.search` says what each means."""

    image: Path
    album: str
    limit: int | None = None
    min_similarity: float | None = None
    json: bool = False


def parse_search(arguments: list[str]) -> SearchRequest | None:
    """Read a plain search; None for everything else, which the whole command then reads, explains or refuses."""
    if arguments[:1] != ["search"]:
        return None
    parser = _QuietParser(add_help=False, allow_abbrev=False)
    parser.add_argument("image", type=Path)
    parser.add_argument("--album", "-a", required=True)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--min-similarity", type=float)
    parser.add_argument("--json", action="store_true")
    try:
        request = SearchRequest(**vars(parser.parse_args(arguments[1:])))
    except _NotPlainError:
        return None
    limit, similarity = request.limit, request.min_similarity
    in_range = (limit is None or limit >= 1) and (similarity is None or -1 <= similarity <= 1)
    return request if in_range else None


class _NotPlainError(Exception):
    pass


class _QuietParser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _NotPlainError(message)


def run_search(request: SearchRequest) -> None:
    """Search and print what was found.

    Raises:
        FacefleetError: with a sentence for a person.
    """
    probe = _read_probe(request.image, find_whereabouts().max_probe_bytes)
    with connect(Needs.RECOGNIZER) as client:
        answer = client.search(request.album, probe, limit=request.limit, min_similarity=request.min_similarity)
    found = answer.faces
    if not found:
        say(f"No face was found in {request.image}.")
    if answer.notice:
        say(f"facefleet: {answer.notice}")
    if request.json:
        print_json([_as_result(each) for each in found])
        return
    for number, each in enumerate(found, start=1):
        _print_candidates(f"Face {number} of {len(found)} at {format_box(each.probe_face.box)}", each)


def _read_probe(image: Path, max_bytes: int) -> bytes:
    try:
        kind = image.stat().st_mode
        if not stat.S_ISREG(kind):  # a pipe may have no writer, and a device no end
            what = "a folder" if stat.S_ISDIR(kind) else "not a file"
            raise InvalidRequest(f"{image} is {what}; a search takes one photo")
        with image.open("rb") as file:
            probe = file.read(max_bytes + 1)
    except FileNotFoundError as error:
        raise InvalidRequest(f"there is no file {image}") from error
    except OSError as error:
        raise InvalidRequest(f"{image} cannot be read: {error.strerror}") from error
    if len(probe) > max_bytes:
        raise InvalidRequest(f"{image} has more than {max_bytes:,} bytes (FACEFLEET_MAX_PROBE_BYTES)")
    return probe


def _as_result(found: Found) -> dict[str, object]:
    return {
        "probe_face": {"box": found.probe_face.box},
        "candidates": [{key: getattr(each, key) for key in _CANDIDATE_FIELDS} for each in found.candidates],
    }


def _print_candidates(title: str, found: Found) -> None:
    rows = [
        [number, each.photo, f"{each.similarity_percent:.1f} %", f"{each.similarity:.3f}", format_box(each.box)]
        for number, each in enumerate(found.candidates, start=1)
    ]
    columns = ["#Rank", "Photo", "#Similarity", "#Cosine", "Box"]
    print_table(title if rows else f"{title}: nobody like that", columns, rows)
