"""The thresholds that a pack should be used with."""

import math
from collections.abc import Sequence

import numpy as np

from demo.evaluation.detection_measures import PhotoResult
from demo.evaluation.measure import found_people
from demo.evaluation.people_measures import measure_people

CANDIDATES = tuple(round(0.3 + 0.05 * step, 2) for step in range(12))


def choose_detection_threshold(results: Sequence[PhotoResult]) -> float:
    """The candidate with the best F1 of recall and precision; the middle one of those that are equally good.

    Args:
        results: of a recognizer run with a threshold at the lowest candidate or below.
    """
    matches = [match for result in results for match in result.matches]
    right = np.array([match.found.detection_score for match in matches if match.found is not None])
    wrong = np.array([face.detection_score for result in results for face in result.false_alarms])
    f1 = np.array([_f1(right, wrong, len(matches), threshold) for threshold in CANDIDATES])
    best = np.flatnonzero(f1 >= f1.max() - 1e-9)
    return CANDIDATES[int(best[len(best) // 2])]


def choose_similarity_threshold(results: Sequence[PhotoResult]) -> float:
    """The cosine similarity that one pair in a thousand of two people reaches; faces of all sizes.

    1, which nobody reaches, when too few faces were found to say (a trial run).
    """
    similarity = measure_people(*found_people(results, smallest_px=0.0)).similarity_threshold
    return 1.0 if math.isnan(similarity) else round(similarity, 2)


def _f1(
    right: np.typing.NDArray[np.float64], wrong: np.typing.NDArray[np.float64], faces: int, threshold: float
) -> float:
    found, false_alarms = int((right >= threshold).sum()), int((wrong >= threshold).sum())
    return 2 * found / max(1, faces + found + false_alarms)
