"""`make demo`: draw an album, index it, search it with three selfies, write a report. Runs the command a user runs."""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cli.data_directory import hold_data_directory
from demo.album import AlbumFace, AlbumTruth, draw_album, draw_selfie, write_jpeg
from demo.report import AlbumFigures, FoundPhoto, Rectangle, SelfieResult, write_report
from facefleet.errors import ConfigurationError

_PEOPLE = 25
_SELFIES = 3
_SELFIE_SHOT_SEED = 7
_ALBUM_NAME = "demo"
#: Ledger and faces of the demo, so that what it made can be looked at afterwards; emptied at each start.
_DATA_DIR = Path(".demo", "data")


def main() -> None:
    """Run the demo in the current directory."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--photos", type=int, default=300, help="photos to draw")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn")
    parser.add_argument("--directory", type=Path, default=Path("demo-album"), help="where the album is drawn")
    parser.add_argument("--report", type=Path, default=Path("demo-report.html"), help="the report to write")
    options = parser.parse_args()
    _empty(_DATA_DIR)
    _say(f"Drawing {options.photos} photos of {_PEOPLE} people into {options.directory}/ ...")
    truth = draw_album(
        options.directory, photos=options.photos, people=_PEOPLE, seed=options.seed, processes=os.cpu_count() or 1
    )
    environment = os.environ | {
        "FACEFLEET_DATA_DIR": str(_DATA_DIR),
        "FACEFLEET_MODEL_PACK": "demo",
        "FACEFLEET_SERVER": "",
    }
    _say("Indexing it:  facefleet index demo-album --album demo")
    figures = _index(options.directory, environment)
    _say(f"Searching it with {_SELFIES} selfies that are not in it:  facefleet search selfie.jpg --album demo")
    selfies = [_search(person, truth, options.directory, environment) for person in _most_seen(truth)]
    write_report(options.report, figures, selfies)
    for each in selfies:
        right = sum(photo.right for photo in each.found)
        _say(f"  {each.person}: {right} of {each.expected} photos, {len(each.found) - right} of somebody else")
    _say(f"\nThe report: {options.report.absolute()}")
    _say(describe_next_steps(_command()))


def describe_next_steps(command: Path) -> str:
    """Write what to do after the demo, as commands that work in the current directory.

    Args:
        command: the installed `facefleet`; shown relative to the current directory when it lies below it.
    """
    here = Path.cwd()
    shown = shlex.quote(str(command.relative_to(here) if command.is_relative_to(here) else command))
    return f"""Next: the same album over HTTP,
  FACEFLEET_DATA_DIR={_DATA_DIR} FACEFLEET_MODEL_PACK=demo {shown} up
or real faces, with a model pack for non-commercial research:
  {shown} models pull buffalo_l --accept-license
  {shown} index YOUR-PHOTOS --album mine
  {shown} search SELFIE --album mine"""


def _empty(data_dir: Path) -> None:
    try:
        with hold_data_directory(data_dir.absolute()):
            shutil.rmtree(data_dir)
    except ConfigurationError as error:
        raise SystemExit(f"make demo: {error}") from error


def _command() -> Path:
    return Path(sys.executable).with_name("facefleet")


def _say(text: str) -> None:
    print(text, flush=True)


def _facefleet(arguments: Sequence[str], environment: dict[str, str]) -> str:
    """Run the installed command; its progress goes to the terminal, its JSON comes back."""
    command = [str(_command()), *arguments]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)  # noqa: S603  our own command
    if done.returncode != 0:
        raise SystemExit(done.returncode)
    return done.stdout.decode()


def _index(album: Path, environment: dict[str, str]) -> AlbumFigures:
    result = json.loads(_facefleet(["index", str(album), "--album", _ALBUM_NAME, "--json"], environment))
    return AlbumFigures(
        photos=result["photos"],
        faces=result["faces"],
        dead=result["dead"],
        seconds=result["seconds"],
        photos_per_second=result["photos_per_second"],
    )


def _most_seen(truth: AlbumTruth) -> list[str]:
    people = sorted(truth.person_seeds, key=lambda person: -len(_photos_of(person, truth)))
    return people[:_SELFIES]


def _photos_of(person: str, truth: AlbumTruth) -> list[str]:
    return [name for name, faces in truth.photos.items() if any(face.person == person for face in faces)]


def _search(person: str, truth: AlbumTruth, album: Path, environment: dict[str, str]) -> SelfieResult:
    selfie = draw_selfie(truth.person_seeds[person], _SELFIE_SHOT_SEED)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "selfie.jpg"
        write_jpeg(path, selfie)
        answer = json.loads(_facefleet(["search", str(path), "--album", _ALBUM_NAME, "--json"], environment))
    candidates = answer[0]["candidates"] if answer else []
    found = [
        FoundPhoto(
            path=album / each["photo"],
            box=tuple(each["box"]),
            similarity_percent=each["similarity_percent"],
            right=_is_there(person, tuple(each["box"]), truth.photos[each["photo"]]),
        )
        for each in candidates
    ]
    return SelfieResult(person, selfie, found, len(_photos_of(person, truth)))


def _is_there(person: str, box: Rectangle, faces: Sequence[AlbumFace]) -> bool:
    """Whether the middle of the box lies in the person's true box."""
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return any(
        face.person == person
        and face.box[0] <= x <= face.box[0] + face.box[2]
        and face.box[1] <= y <= face.box[1] + face.box[3]
        for face in faces
    )


if __name__ == "__main__":
    main()
