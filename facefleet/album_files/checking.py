"""Reads an album file from end to end before a row of it is used, in a process of its own whose memory is limited.

A file can be made that a Parquet reader needs any amount of memory for; then that process ends, and no other.
"""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from facefleet.album_files.columns import Manifest
from facefleet.album_files.parquet import Row
from facefleet.album_files.reading import AlbumFile, open_album_file
from facefleet.errors import AlbumFileRefused, InvalidRequest
from facefleet.ledger.persons import check_person_name

#: Enough for the ids of ten million photos and faces; an honest page takes a few megabytes.
MEMORY_BYTES: Final = 4 * 2**30
_REFUSED: Final = 3
_LONGEST_S: Final = 3600.0
_LARGEST_FRACTION: Final = 8.0
_MOST_PIXELS_A_SIDE: Final = 2**24
_MOST_FACES: Final = 1000


def check_album_file(path: Path, memory_bytes: int = MEMORY_BYTES) -> Manifest:
    """Read a file whole; returns what it says about itself.

    Args:
        path: of the file.
        memory_bytes: a file that takes more to read is refused.

    Raises:
        AlbumFileRefused: what is wrong with it, for a person.
    """
    with open_album_file(path) as file:
        manifest = file.manifest
    command = [sys.executable, "-m", __name__, str(path), str(memory_bytes)]
    # A thread of OpenBLAS for every core would take more than all rows do.
    env = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(  # noqa: S603  ourselves
            command, capture_output=True, text=True, check=False, timeout=_LONGEST_S, env=env
        )
    except subprocess.TimeoutExpired:
        raise AlbumFileRefused(f"reading {path} takes more than {_LONGEST_S:.0f} s") from None
    if done.returncode == _REFUSED:
        raise AlbumFileRefused(done.stdout.strip())
    if done.returncode:
        most = f"{memory_bytes / 2**30:.1f} GiB of memory"
        raise AlbumFileRefused(f"{path} cannot be read, or takes more than {most} to read")
    return manifest


def read_whole(file: AlbumFile) -> None:
    """Read every row, and hold what refers to something against what is there.

    Raises:
        AlbumFileRefused: what is wrong.
    """
    photos = _check_photos(file)
    _check_faces(file, photos)
    people = _check_people(file)
    spots = _check_spots(file, photos, people)
    for row in _rows(file, "not_people"):
        _require(row["spot"] in spots, "not_people.parquet names a spot that is not there")


def _check_photos(file: AlbumFile) -> set[UUID]:
    photos: set[UUID] = set()
    last = UUID(int=0)
    for row in _rows(file, "photos"):
        _require(row["photo"] > last, "photos.parquet is not sorted by photo, or names one twice")
        sides = (row["width_px"], row["height_px"])
        _require(all(0 < side <= _MOST_PIXELS_A_SIDE for side in sides), "photos.parquet: a photo has no size")
        # Whatever is there now is read for an empty version.
        is_named = all(row[field] for field in ("name", "uri", "version"))
        _require(is_named, "photos.parquet: a photo has no name, place or version")
        _require(_is_local_time(row["taken_at"]), "photos.parquet: taken_at is no moment without a time zone")
        numbers = (row["dropped"] or "").split()
        _require(all(number.isdecimal() and len(number) <= 3 for number in numbers), "photos.parquet: dropped")  # noqa: PLR2004  below 1000
        last = row["photo"]
        photos.add(last)
    return photos


def _is_local_time(said: str | None) -> bool:
    try:
        return said is None or datetime.fromisoformat(said).tzinfo is None
    except ValueError:
        return False


def _check_faces(file: AlbumFile, photos: set[UUID]) -> None:
    last = (UUID(int=0), -1)
    for row in _rows(file, "faces"):
        place = (row["photo"], row["number"])
        _require(place > last, "faces.parquet is not sorted by photo and number, or names a face twice")
        _require(row["photo"] in photos, "faces.parquet has a face of a photo that is not there")
        _require(row["number"] < _MOST_FACES, f"faces.parquet: a photo has more than {_MOST_FACES} faces")
        _require(row["w"] > 0 and row["h"] > 0, "faces.parquet: a face has no size")
        _require(0 <= row["detection_score"] <= 1, "faces.parquet: a detection score is not within 0 and 1")
        _require(0 <= row["overall"] <= 1, "faces.parquet: a quality is not within 0 and 1")
        last = place


def _check_people(file: AlbumFile) -> dict[UUID, UUID | None]:
    people: dict[UUID, UUID | None] = {}
    for row in _rows(file, "people"):
        _require(row["person"] not in people, "people.parquet names somebody twice")
        _check_name(row["name"])
        people[row["person"]] = row["merged_into"]
    for root in people.values():
        # Everybody is merged into who it is after all merges, so no chain can turn back on itself.
        _require(root is None or people.get(root, root) is None, "people.parquet: somebody is merged into nobody")
    return people


def _check_name(name: str | None) -> None:
    try:
        if name is not None:
            check_person_name(name)
    except InvalidRequest as error:
        raise AlbumFileRefused(f"people.parquet: {error}") from error


def _check_spots(file: AlbumFile, photos: set[UUID], people: dict[UUID, UUID | None]) -> set[UUID]:
    spots: set[UUID] = set()
    last = UUID(int=0)
    for row in _rows(file, "spots"):
        _require(row["photo"] >= last, "spots.parquet is not sorted by photo")
        _require(row["photo"] in photos, "spots.parquet has a spot on a photo that is not there")
        _require(row["spot"] not in spots, "spots.parquet names a spot twice")
        sides = [row[side] for side in "xywh"]
        _require(all(abs(side) <= _LARGEST_FRACTION for side in sides), "spots.parquet: a spot is far outside")
        _require(row["w"] > 0 and row["h"] > 0, "spots.parquet: a spot has no size")
        is_somebody = row["person"] is None or row["person"] in people
        _require(is_somebody or not row["is_decided"], "spots.parquet names somebody who is not there")
        last = row["photo"]
        spots.add(row["spot"])
    return spots


def _rows(file: AlbumFile, table: str) -> Iterator[Row]:
    for page in file.pages(table):
        yield from page


def _require(fits: bool, sentence: str) -> None:  # noqa: FBT001  a condition
    if not fits:
        raise AlbumFileRefused(sentence)


def _main(path: Path, memory_bytes: int) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with open_album_file(path) as file:
            read_whole(file)
    except AlbumFileRefused as error:
        sys.stdout.write(str(error))
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), int(sys.argv[2])))
