"""Whether quantized models do as well as those that they were made from."""

import contextlib
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facefleet.errors import DegenerateLandmarks, InvalidRequest, PermanentError
from facefleet.face_records import AlignedFace, Box, RecognizedFace, Template
from facefleet.recognition.alignment import align_face
from facefleet.recognition.decode_limits import DecodeLimits
from facefleet.recognition.decoding import decode_photo
from facefleet.recognition.embedding import normalize_embedding
from facefleet.recognition.face_models import load_models
from facefleet.recognition.model_pack import find_model_pack
from facefleet.recognition.recognizer import Recognizer
from facefleet.recognition.runtimes import choose_runtime
from facefleet.recognition.starting import load_recognizer
from facefleet.settings import Settings

#: Intersection over union from which on two boxes show one face.
_SAME_BOX = 0.5
_FAR = 1e-3
#: What a quantized pack has to reach to be kept.
_LEAST_RECALL, _LEAST_MEDIAN_COSINE, _LEAST_COSINE, _MOST_TAR_LOST = 0.995, 0.99, 0.97, 0.002
#: With fewer pairs of strangers a false match in a thousand is chance.
_LEAST_STRANGER_PAIRS = 3000


@dataclass(frozen=True, slots=True)
class Comparison:
    """Quantized models beside their parents, on photos that did not calibrate them."""

    #: Faces that the parent found.
    faces: int
    #: Of these, those that the quantized detector found too, at the same threshold.
    recall: float
    #: Cosine between the templates that both embedders make of the same aligned face.
    median_cosine: float
    first_percentile_cosine: float
    #: Share of the pairs of one person that are told, when one pair of strangers in a thousand is taken for one person:
    #: among the parent's templates, among the quantized pack's, and of one pack's against the other's.
    parent_tar: float
    quantized_tar: float
    mixed_tar: float

    @property
    def failures(self) -> str:
        """What is not good enough; empty when all is."""
        tar = min(self.quantized_tar, self.mixed_tar)
        checks = (
            (self.recall, _LEAST_RECALL, "share of the faces that are found"),
            (self.median_cosine, _LEAST_MEDIAN_COSINE, "median cosine to the templates of the original"),
            (self.first_percentile_cosine, _LEAST_COSINE, "cosine that all but one template in a hundred reach"),
            (tar, self.parent_tar - _MOST_TAR_LOST, "share of a person's pairs told at one false match in a thousand"),
        )
        return "; ".join(f"{what}: {value:.4f}, not {least:.4f}" for value, least, what in checks if value < least)

    @property
    def figures(self) -> dict[str, float]:
        """All of it, rounded, for the pack's own papers."""
        return {name: round(value, 5) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class _Seen:
    """One photo as both packs see it."""

    person: int
    parent: tuple[RecognizedFace, ...]
    quantized: tuple[RecognizedFace, ...]
    #: The parent's faces, aligned by its landmarks.
    aligned: tuple[AlignedFace, ...]


def compare_packs(parent: Settings, quantized: Settings, people: Sequence[Sequence[Path]]) -> Comparison:
    """Recognize photos with both packs.

    Args:
        parent: settings that name the original.
        quantized: the same with the other pack.
        people: files by person; files that are no photos are left out.

    Raises:
        InvalidRequest: too few people or faces to tell.
    """
    labelled = [(number, path) for number, photos in enumerate(people) for path in photos]
    with (
        contextlib.closing(load_recognizer(parent)) as one,
        contextlib.closing(load_recognizer(quantized)) as other,
        ThreadPoolExecutor(parent.cpu_threads) as threads,
    ):
        looked = threads.map(lambda each: _look(one, other, *each), labelled)
        seen = [each for each in looked if each is not None and each.parent]
    told = [each for each in seen if each.quantized]
    _require_pairs(labels := np.array([each.person for each in told]))
    templates, others = (
        np.stack([_largest(faces) for faces in side]) for side in zip(*map(_sides_of, told), strict=True)
    )
    aligned = [face for each in seen for face in each.aligned]
    cosines = (_embed(parent, aligned) * _embed(quantized, aligned)).sum(axis=1)
    return Comparison(
        faces=(faces := sum(len(each.parent) for each in seen)),
        recall=sum(map(_count_found, seen)) / faces,
        median_cosine=float(np.median(cosines)),
        first_percentile_cosine=float(np.percentile(cosines, 1)),
        parent_tar=_tar(labels, templates, templates),
        quantized_tar=_tar(labels, others, others),
        mixed_tar=_tar(labels, templates, others),
    )


def _look(one: Recognizer, other: Recognizer, person: int, path: Path) -> _Seen | None:
    try:
        photo_bytes = path.read_bytes()
        parent, quantized = one.recognize(photo_bytes).faces, other.recognize(photo_bytes).faces
        image = decode_photo(photo_bytes, DecodeLimits(sys.maxsize, sys.maxsize)).image
        return _Seen(person, parent, quantized, tuple(align_face(image, f.detection.landmarks) for f in parent))
    except (PermanentError, DegenerateLandmarks, OSError):
        return None


def _count_found(seen: _Seen) -> int:
    return sum(
        any(_overlap(face.detection.box, other.detection.box) >= _SAME_BOX for other in seen.quantized)
        for face in seen.parent
    )


def _overlap(one: Box, other: Box) -> float:
    width = min(one.x + one.w, other.x + other.w) - max(one.x, other.x)
    height = min(one.y + one.h, other.y + other.h) - max(one.y, other.y)
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / max(one.w * one.h + other.w * other.h - shared, 1e-9)


def _sides_of(seen: _Seen) -> tuple[Sequence[RecognizedFace], Sequence[RecognizedFace]]:
    return seen.parent, seen.quantized


def _largest(faces: Sequence[RecognizedFace]) -> Template:
    """The template of a photo's largest face, which is who the photo is of."""
    return max(faces, key=lambda face: face.detection.box.w * face.detection.box.h).template


def _embed(settings: Settings, faces: Sequence[AlignedFace]) -> NDArray[np.float32]:
    models = load_models(find_model_pack(settings), choose_runtime(settings), settings.detection_size_px)
    return np.stack([normalize_embedding(models.embed([face])[0]) for face in faces])


def _require_pairs(labels: NDArray[np.int64]) -> None:
    same = labels[:, None] == labels
    strangers, pairs = int((~same).sum()) // 2, (int(same.sum()) - len(labels)) // 2
    if strangers < _LEAST_STRANGER_PAIRS or not pairs:
        raise InvalidRequest(
            f"{strangers:,} pairs of faces of two people and {pairs:,} of one are too few to compare packs with: bring "
            "ten people with twenty photos each, or more"
        )


def _tar(labels: NDArray[np.int64], templates: NDArray[np.float32], others: NDArray[np.float32]) -> float:
    """True accept rate at a false accept rate of one in a thousand, over all pairs of two photos."""
    cosines, same = templates @ others.T, labels[:, None] == labels
    threshold = np.quantile(cosines[~same], 1 - _FAR)
    np.fill_diagonal(same, val=False)  # a photo and itself
    return float((cosines[same] >= threshold).mean())
