"""The detection threshold that a pack should be used with."""

from collections.abc import Iterable

import numpy as np

from demo.brush import RgbImage
from demo.evaluation.detection_measures import match_faces
from demo.evaluation.recognizer import Recognizer
from demo.photo import LabelledFace

CANDIDATES = tuple(round(0.3 + 0.05 * step, 2) for step in range(12))


def choose_threshold(recognize: Recognizer, photos: Iterable[tuple[RgbImage, list[LabelledFace]]]) -> float:
    """The candidate with the best F1 of recall and precision; the middle one of those that are equally good.

    Args:
        recognize: run with a threshold at the lowest candidate or below.
        photos: images, (H, W, 3) uint8 RGB, with the truth about them.
    """
    right: list[float] = []
    wrong: list[float] = []
    faces = 0
    for image, truth in photos:
        result = match_faces(truth, recognize(image))
        faces += len(truth)
        right += [match.found.detection_score for match in result.matches if match.found is not None]
        wrong += [face.detection_score for face in result.false_alarms]
    f1 = np.array([_f1(np.array(right), np.array(wrong), faces, threshold) for threshold in CANDIDATES])
    best = np.flatnonzero(f1 >= f1.max() - 1e-9)
    return CANDIDATES[int(best[len(best) // 2])]


def _f1(
    right: np.typing.NDArray[np.float64], wrong: np.typing.NDArray[np.float64], faces: int, threshold: float
) -> float:
    found, false_alarms = int((right >= threshold).sum()), int((wrong >= threshold).sum())
    return 2 * found / max(1, faces + found + false_alarms)
