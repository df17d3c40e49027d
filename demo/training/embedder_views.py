"""Faces as the embedder sees them: aligned by landmarks that are off as the detector's are."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from demo.brush import RgbImage
from demo.geometry import Points
from demo.training.alignment import CANONICAL_LANDMARKS, FACE_SIDE_PX, fit_similarity
from demo.training.embedder_data import FacePicture
from demo.training.landmark_errors import LandmarkErrors

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Views:
    """N aligned faces, and where the truly aligned face lies in each."""

    #: (N, 112, 112, 3) uint8 RGB.
    faces: RgbImage
    #: (N, 4) float32, what `FaceStraightener` should answer.
    corrections: FloatArray


def align_as_detected(pictures: Sequence[FacePicture], errors: LandmarkErrors, rng: np.random.Generator) -> Views:
    """Each face aligned once, with fresh landmark errors."""
    aligned = np.empty((len(pictures), FACE_SIDE_PX, FACE_SIDE_PX, 3), np.uint8)
    corrections = np.empty((len(pictures), 4), np.float32)
    for row, picture in enumerate(pictures):
        true = fit_similarity(picture.landmarks, CANONICAL_LANDMARKS)
        landmarks = picture.landmarks @ true[:, :2].T + true[:, 2]
        enlargement = float(np.hypot(true[0, 0], true[1, 0]))
        moved = fit_similarity(errors.disturb(landmarks, enlargement, rng), CANONICAL_LANDMARKS)
        corrections[row] = _as_correction(moved)
        from_picture = moved[:, :2] @ true
        from_picture[:, 2] += moved[:, 2]
        cv2.warpAffine(picture.image, from_picture, (FACE_SIDE_PX, FACE_SIDE_PX), dst=aligned[row])
    return Views(aligned, corrections)


def batches(count: int, size: int, steps: int, rng: np.random.Generator) -> list[IntArray]:
    """Indices of each step's faces: all faces once before any comes again."""
    needed = steps * size
    order = np.concatenate([rng.permutation(count) for _ in range(needed // count + 1)])
    return np.split(order[:needed], steps)


def expose_anew(faces: RgbImage, rng: np.random.Generator) -> FloatArray:
    """(N, 3, 112, 112) normalised pixels of (N, 112, 112, 3) faces, each under a random exposure."""
    count = len(faces)
    gain = rng.uniform(0.85, 1.15, (count, 1, 1, 1)) * (1 + rng.normal(0, 0.02, (count, 1, 1, 3)))
    shift = rng.uniform(-12, 12, (count, 1, 1, 1))
    pixels = np.clip(faces * gain.astype(np.float32) + shift.astype(np.float32), 0, 255)
    normalised: FloatArray = ((pixels - 127.5) / 127.5).astype(np.float32).transpose(0, 3, 1, 2)
    return normalised


def _as_correction(matrix: Points) -> Points:
    """From pixels of the truly aligned face to pixels of the view, as `FaceStraightener` says it."""
    middle, half = (FACE_SIDE_PX - 1) / 2, FACE_SIDE_PX / 2
    shift = (matrix[:, :2] @ [middle, middle] + matrix[:, 2] - middle) / half
    return np.array([matrix[0, 0] - 1.0, matrix[1, 0], *shift])
