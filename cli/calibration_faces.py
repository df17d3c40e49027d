"""Folders of people, as templates."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from facefleet.errors import InvalidRequest, PermanentError
from facefleet.face_records import Template
from facefleet.photo_store.names import may_be_photo
from facefleet.recognition.recognizer import Recognizer


@dataclass(frozen=True)
class KnownPeople:
    """Templates by person."""

    templates: dict[str, list[Template]]
    #: Files that show no face or are no photos.
    faceless: int


def recognize_people(recognizer: Recognizer, folder: Path, threads: int) -> KnownPeople:
    """Recognize the largest face of every photo.

    Args:
        recognizer: of the pack that is calibrated.
        folder: one folder for each person.
        threads: photos that are worked on at once.

    Raises:
        InvalidRequest: the folder has no such folders.
    """
    photos = list(_list_photos(folder))
    if not photos:
        raise _no_photos(folder)
    people: dict[str, list[Template]] = {}
    faceless = 0
    with ThreadPoolExecutor(threads) as pool:
        templates = pool.map(lambda photo: _recognize_largest(recognizer, photo), photos)
        for photo, template in zip(photos, templates, strict=True):
            if template is None:
                faceless += 1
            else:
                people.setdefault(photo.parent.name, []).append(template)
    return KnownPeople(people, faceless)


def list_people(folder: Path) -> list[list[Path]]:
    """List the photos of each person.

    Raises:
        InvalidRequest: the folder has no folders of photos.
    """
    people: dict[str, list[Path]] = {}
    for photo in _list_photos(folder):
        people.setdefault(photo.parent.name, []).append(photo)
    if not people:
        raise _no_photos(folder)
    return list(people.values())


def _no_photos(folder: Path) -> InvalidRequest:
    return InvalidRequest(f"{folder} has no folders of photos: one for each person is needed, named as you like")


def _list_photos(folder: Path) -> Iterable[Path]:
    try:
        for person in sorted(each for each in folder.iterdir() if each.is_dir()):
            yield from sorted(each for each in person.iterdir() if each.is_file() and may_be_photo(each.name))
    except OSError as error:
        raise InvalidRequest(f"{folder} cannot be read: {error.strerror}") from error


def _recognize_largest(recognizer: Recognizer, photo: Path) -> Template | None:
    try:
        faces = recognizer.recognize(photo.read_bytes()).faces
    except (PermanentError, OSError):
        return None
    largest = max(faces, key=lambda face: face.detection.box.w * face.detection.box.h, default=None)
    return None if largest is None else largest.template
