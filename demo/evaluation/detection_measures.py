"""Figures for found boxes and landmarks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from demo.evaluation.recognizer import DetectedFace
from demo.photo import LabelledFace
from demo.portrait import Box

#: A detection is right when it covers a face by this intersection over union.
MATCHING_IOU = 0.5
#: Landmarks are measured on faces from this size (square root of the box's area, pixels).
LANDMARK_FACE_PX = 40.0


@dataclass(frozen=True)
class Match:
    """One drawn face and what was found of it."""

    truth: LabelledFace
    found: DetectedFace | None


@dataclass(frozen=True)
class PhotoResult:
    """One photo's matches, and what was found where no face is."""

    matches: list[Match]
    false_alarms: list[DetectedFace]


@dataclass(frozen=True)
class DetectionMeasures:
    """How well faces are found."""

    faces: int
    recall: float
    precision: float
    #: Mean distance of five landmarks over the true distance between the eyes.
    landmark_error: float


def match_faces(truth: Sequence[LabelledFace], found: Sequence[DetectedFace]) -> PhotoResult:
    """Give every drawn face its best detection, the most certain pairs first; each detection once."""
    pairs = sorted(
        ((overlap(face.box, other.box), i, j) for i, face in enumerate(truth) for j, other in enumerate(found)),
        reverse=True,
    )
    chosen: dict[int, int] = {}
    for share, i, j in pairs:
        if share >= MATCHING_IOU and i not in chosen and j not in chosen.values():
            chosen[i] = j
    matches = [Match(face, found[chosen[i]] if i in chosen else None) for i, face in enumerate(truth)]
    return PhotoResult(matches, [other for j, other in enumerate(found) if j not in chosen.values()])


def overlap(first: Box, second: Box) -> float:
    """Intersection over union."""
    width = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    height = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (first[2] * first[3] + second[2] * second[3] - width * height)


def face_size_px(face: LabelledFace) -> float:
    """Square root of the box's area."""
    return float(np.sqrt(face.box[2] * face.box[3]))


def landmark_error(truth: LabelledFace, found: DetectedFace) -> float:
    """Mean distance of the five points over the true distance between the eyes."""
    between_eyes = float(np.linalg.norm(truth.landmarks[0] - truth.landmarks[1]))
    return float(np.linalg.norm(truth.landmarks - found.landmarks, axis=1).mean()) / between_eyes


def measure_detection(results: Iterable[PhotoResult]) -> DetectionMeasures:
    """Sum up all photos."""
    matches, false_alarms = [], 0
    for result in results:
        matches += result.matches
        false_alarms += len(result.false_alarms)
    found = [(match.truth, match.found) for match in matches if match.found is not None]
    errors = [landmark_error(truth, face) for truth, face in found if face_size_px(truth) >= LANDMARK_FACE_PX]
    return DetectionMeasures(
        faces=len(matches),
        recall=len(found) / max(1, len(matches)),
        precision=len(found) / max(1, len(found) + false_alarms),
        landmark_error=float(np.mean(errors)) if errors else float("nan"),
    )
