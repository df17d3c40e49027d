"""How far off a detector's landmarks are: measured on drawn photos, and imitated."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from demo.evaluation.detection_measures import match_faces
from demo.evaluation.recognizer import Recognizer, insightface_recognizer
from demo.photo import PhotoPlan, draw_photo
from demo.training.alignment import CANONICAL_LANDMARKS, fit_similarity
from demo.training.detector_data import TRAINING_SEEDS

#: Photos that are drawn to measure, in turn with faces of all sizes and with small ones.
PHOTOS = 260
PLANS = (PhotoPlan(640, 480, 16, 300), PhotoPlan(640, 640, 14, 60))
#: Sets these photos apart from everything else that is drawn from a seed.
ERROR_STREAM, ERROR_SEEDS = 43, TRAINING_SEEDS + 93_000_000
#: Detections below this score do not count.
DETECTION_THRESHOLD = 0.7
#: An error is taken from one of this many faces of like size to either side, made larger or smaller, with a little
#: noise (pixels of the aligned face).
NEIGHBOURS, STRETCH, NOISE_PX = 60, (0.7, 1.3), 0.25

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LandmarkErrors:
    """The errors of K faces, from large faces to small ones."""

    #: (K, 5, 2) in pixels of the truly aligned face.
    errors: FloatArray
    #: (K,) rising: pixels of the aligned face for one of the photo.
    enlargement: FloatArray

    def disturb(self, landmarks: FloatArray, enlargement: float, rng: np.random.Generator) -> FloatArray:
        """(5, 2) true landmarks in an aligned face, as the detector might report them."""
        place = int(np.searchsorted(self.enlargement, enlargement)) + rng.integers(-NEIGHBOURS, NEIGHBOURS + 1)
        error = self.errors[np.clip(place, 0, len(self.errors) - 1)] * rng.uniform(*STRETCH)
        if rng.random() < 0.5:
            error = (error * [-1.0, 1.0])[[1, 0, 2, 4, 3]]
        disturbed: FloatArray = landmarks + error + rng.normal(0, NOISE_PX, (5, 2))
        return disturbed


def measure_landmark_errors(pack: Path, threads: int) -> LandmarkErrors:
    """Let a pack's detector loose on drawn photos of people it was not trained on; an embedder may be missing."""
    recognize = insightface_recognizer(pack, DETECTION_THRESHOLD, threads)
    pairs = [pair for index in range(PHOTOS) for pair in _photo_errors(index, recognize)]
    # A detector that finds nobody, in a trial run, makes no errors.
    pairs = pairs or [(np.zeros((5, 2)), 1.0)]
    order = np.argsort([enlargement for _, enlargement in pairs])
    errors, enlargements = np.array([error for error, _ in pairs]), np.array([size for _, size in pairs])
    return LandmarkErrors(errors[order], enlargements[order])


def _photo_errors(index: int, recognize: Recognizer) -> list[tuple[FloatArray, float]]:
    rng = np.random.default_rng([ERROR_STREAM, index])
    people = [int(person) for person in ERROR_SEEDS + rng.integers(1 << 30, size=8)]
    image, truth = draw_photo(PLANS[index % len(PLANS)], people, ERROR_SEEDS + index)
    pairs = []
    for match in match_faces(truth, recognize(image)).matches:
        if match.found is not None:
            turn = fit_similarity(match.truth.landmarks, CANONICAL_LANDMARKS)[:, :2]
            error = (match.found.landmarks - match.truth.landmarks).astype(np.float64) @ turn.T
            pairs.append((error, float(np.hypot(turn[0, 0], turn[1, 0]))))
    return pairs
