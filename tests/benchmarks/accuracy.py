"""Whether what is measured still finds the right faces: against the album's truth, and against FaceAnalysis."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from facefleet.face_records import RecognizedFace, RecognizedPhoto
from facefleet.recognition.starting import load_recognizer
from facefleet.settings import Settings
from tests.benchmarks.albums import read_truth

#: A box (x, y, w, h), or a template.
Floats: TypeAlias = NDArray[np.float64]
#: (box, template) of each face, by the photo's name.
LoopFaces: TypeAlias = dict[str, list[tuple[Floats, Floats]]]

_CONTROL = Path(__file__).parent / "control" / "face_analysis_loop.py"
#: Part of a box's width that two centres of one face may lie apart.
_NEAR = 0.3


@dataclass(frozen=True)
class Accuracy:
    """What was found in an album."""

    labels: int
    faces: int
    recall: float
    precision: float
    #: The same for the loop over FaceAnalysis.
    loop_faces: int
    loop_recall: float
    loop_precision: float
    #: Of the loop's faces, those found too.
    shared: float
    #: Of those, the ones whose template has a cosine of at least 0.99 to the loop's.
    equal_templates: float


def measure_accuracy(pack: Path, album: Path, threads: int, theirs: LoopFaces, *, min_face_px: float = 0) -> Accuracy:
    """Recognize an album, and compare with its truth and with what the loop over FaceAnalysis found."""
    files = sorted(album.glob("*.jpg"))
    settings = Settings(model_pack=str(pack), device="cpu", cpu_threads=threads, min_face_px=min_face_px)
    with closing(load_recognizer(settings)) as recognizer, ThreadPoolExecutor(threads) as pool:
        photos = dict(zip(files, pool.map(lambda path: recognizer.recognize(path.read_bytes()), files), strict=True))
    ours = {path.name: _boxes_of(photo) for path, photo in photos.items()}
    labels = {name: [np.array(face["box"], float) for face in faces] for name, faces in read_truth(album).items()}
    hits, loop_hits = _count_hits(labels, ours), _count_hits(labels, {n: [b for b, _ in f] for n, f in theirs.items()})
    faces, loop_faces = (sum(map(len, found.values())) for found in (ours, theirs))
    cosines = [
        cosine
        for path, photo in photos.items()
        for box, template in theirs[path.name]
        if (cosine := _best_cosine(photo, box, template)) is not None
    ]
    known = sum(map(len, labels.values()))
    return Accuracy(
        known,
        faces,
        hits / known,
        hits / faces,
        loop_faces,
        loop_hits / known,
        loop_hits / loop_faces,
        len(cosines) / loop_faces,
        float(np.mean(np.array(cosines) >= 0.99)),
    )


def run_loop(pack: Path, album: Path) -> LoopFaces:
    """Recognize an album with the loop over FaceAnalysis."""
    run = subprocess.run([sys.executable, _CONTROL, pack, album], check=True, capture_output=True)
    found = json.loads(run.stdout)
    return {
        name: [(np.array([x1, y1, x2 - x1, y2 - y1]), np.array(template)) for (x1, y1, x2, y2), template in faces]
        for name, faces in found.items()
    }


def _boxes_of(photo: RecognizedPhoto) -> list[Floats]:
    return [_box_of(face) for face in photo.faces]


def _box_of(face: RecognizedFace) -> Floats:
    box = face.detection.box
    return np.array([box.x, box.y, box.w, box.h])


def _is_near(one: Floats, other: Floats) -> bool:
    apart = (one[:2] + one[2:] / 2) - (other[:2] + other[2:] / 2)
    return bool((np.abs(apart) < _NEAR * max(one[2], other[2])).all())


def _count_hits(labels: dict[str, list[Floats]], found: dict[str, list[Floats]]) -> int:
    return sum(any(_is_near(label, box) for box in found[name]) for name, boxes in labels.items() for label in boxes)


def _best_cosine(photo: RecognizedPhoto, box: Floats, template: Floats) -> float | None:
    near = [face for face in photo.faces if _is_near(_box_of(face), box)]
    return max((float(face.template @ template) for face in near), default=None)
