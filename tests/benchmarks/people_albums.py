"""Labelled albums as arrays: photos are made once, recognized once for each model pack, and kept in a folder."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facefleet.face_records import Box, Template
from facefleet.people.face_set import FaceSet, IntArray
from facefleet.recognition.calibration import load_curve
from facefleet.recognition.model_pack import obtain_model_pack
from facefleet.recognition.recognizer import Recognizer
from facefleet.recognition.similarity import SimilarityCurve
from facefleet.recognition.starting import load_recognizer
from facefleet.settings import Settings

CHECKOUT = Path(__file__).resolve().parents[2]
SHARED = CHECKOUT.parent / "shared"
CORES = 2


@dataclass(frozen=True)
class LabelledFaces:
    """Faces that a recognizer found in an album, and who they are."""

    faces: FaceSet
    #: (N,) int64; what is no face at all has a number of its own.
    people: IntArray
    #: What a cosine of the pack means, as an installation that indexes this album knows it.
    curve: SimilarityCurve


def composed_album(directory: Path, seed: int, photos: int = 150) -> Path:
    """Twelve real people in photos of 12 megapixels, from the labelled faces beside the checkout."""
    album = directory / f"composed-{photos}-{seed}"
    if not (album / "truth.json").is_file():
        tool = [sys.executable, str(SHARED / "tools" / "make_album.py"), str(SHARED / "faces"), str(album)]
        subprocess.run([*tool, "--photos", str(photos), "--seed", str(seed)], check=True, stdout=subprocess.DEVNULL)
    return album


def drawn_album(directory: Path, people: int = 200, photos: int = 2000, seed: int = 1) -> Path:
    """Drawn people."""
    album = directory / f"drawn-{people}-{photos}-{seed}"
    if not (album / "truth.json").is_file():
        from demo.album import draw_album  # noqa: PLC0415  only this branch draws

        draw_album(album, photos=photos, people=people, seed=seed, processes=CORES)
    return album


def recognize_album(album: Path, pack: str) -> LabelledFaces:
    """Recognize every photo of an album that has a `truth.json`; what was found is kept beside the album."""
    settings = Settings(model_pack=pack, device="cpu", cpu_threads=CORES)
    model_pack = obtain_model_pack(settings)
    curve = load_curve(model_pack, settings.data_dir)
    kept = album.with_name(f"{album.name}-{model_pack.model_version}.npz")
    if not kept.is_file():
        with closing(load_recognizer(settings)) as recognizer:
            templates, photos, qualities, people = zip(*_recognize(album, recognizer), strict=True)
        np.savez(kept, templates=np.stack(templates), photos=photos, qualities=np.float32(qualities), people=people)
    with np.load(kept) as found:
        return LabelledFaces(FaceSet(found["templates"], found["photos"], found["qualities"]), found["people"], curve)


def _recognize(album: Path, recognizer: Recognizer) -> Iterator[tuple[Template, int, float, int]]:
    truth = json.loads((album / "truth.json").read_text())["photos"]
    names = sorted({one["person"] for there in truth.values() for one in there})
    strangers = len(names)
    with ThreadPoolExecutor(CORES) as pool:
        recognized = pool.map(lambda name: recognizer.recognize((album / name).read_bytes()).faces, truth)
        for photo, (faces, there) in enumerate(zip(recognized, truth.values(), strict=True)):
            who = _tell_who([face.detection.box for face in faces], there)
            for number, face in enumerate(faces):
                strangers += number not in who
                person = names.index(who[number]) if number in who else strangers
                yield face.template, photo, face.quality.overall, person


def _tell_who(found: list[Box], there: list[dict[str, Any]]) -> dict[int, str]:
    """Who each found box is: its middle lies in the true box, the nearest pairs first, each once."""
    pairs = []
    for place, one in enumerate(there):
        x, y, w, h = one["box"]
        for number, box in enumerate(found):
            away = max(abs(box.x + box.w / 2 - x - w / 2) / w, abs(box.y + box.h / 2 - y - h / 2) / h)
            if away <= 0.5:
                pairs.append((away, place, number))
    who: dict[int, str] = {}
    taken: set[int] = set()
    for _, place, number in sorted(pairs):
        if place not in taken and number not in who:
            who[number] = there[place]["person"]
            taken.add(place)
    return who
