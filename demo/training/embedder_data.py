"""Small pictures of one drawn face each to train the embedder on, with their true landmarks.

They are not aligned here: what is resampled twice carries marks of the first time, and a network learns to read them.
"""

import math
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import cv2
import numpy as np
import numpy.typing as npt

from demo.brush import RgbImage
from demo.camera import expose
from demo.identity import draw_identity
from demo.photo import OCCLUDED_SHARE, hold_something
from demo.portrait import DrawnFace, Landmarks, Place, draw_portrait
from demo.scenery import paint_scene
from demo.shot import draw_shot
from demo.training.detector_data import TRAINING_SEEDS

#: Faces are drawn from this size to that, pixels, and each is then reduced twice: to a small face, where nearly all
#: mistakes are made, and to one of any size.
DRAWN_PX = (110.0, 190.0)
SMALL_PX, SMALLEST_LARGE_PX = (14.0, 32.0), 22.0
#: Sets these faces apart from everything else that is drawn from a seed.
FACE_STREAM = 41


@dataclass(frozen=True)
class FacePlan:
    """How many faces are drawn."""

    people: int = 4000
    #: Of each person, and each in two sizes.
    shots: int = 8
    seed: int = 92


@dataclass(frozen=True)
class FacePicture:
    """One face and a little around it."""

    #: (H, W, 3) uint8 RGB.
    image: RgbImage
    #: (5, 2) float32, true, in pixels of the image.
    landmarks: Landmarks


@dataclass(frozen=True)
class FaceSet:
    """M faces."""

    pictures: list[FacePicture]
    #: (M,) int64, 0 .. people - 1.
    person: npt.NDArray[np.int64]


def draw_faces(plan: FacePlan, processes: int) -> FaceSet:
    """Draw the faces of a plan; the same for the same plan, whatever the number of processes."""
    draw = partial(_draw_person, shots=plan.shots)
    first = TRAINING_SEEDS + plan.seed * 1_000_000
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        people = list(pool.map(draw, range(first, first + plan.people), chunksize=8))
    pictures = [picture for person in people for picture in person]
    return FaceSet(pictures, np.repeat(np.arange(plan.people), plan.shots * 2))


def _draw_person(person_seed: int, shots: int) -> list[FacePicture]:
    cv2.setNumThreads(1)
    return [picture for shot in range(shots) for picture in _draw_shot(person_seed, shot)]


def _draw_shot(person_seed: int, shot_seed: int) -> Iterator[FacePicture]:
    rng = np.random.default_rng([FACE_STREAM, person_seed, shot_seed])
    drawn_px = _log_uniform(rng, *DRAWN_PX)
    # An aligned face shows about 1.3 times the face.
    side = math.ceil(drawn_px * 1.9)
    image = paint_scene(rng, side, side)
    drawn = draw_portrait(image, draw_identity(person_seed), draw_shot(rng), Place(side / 2, side / 2, drawn_px))
    if rng.random() < OCCLUDED_SHARE:
        hold_something(image, drawn, rng)
    for low, high in (SMALL_PX, (SMALLEST_LARGE_PX, drawn_px)):
        yield _reduce(image, drawn, _log_uniform(rng, low, high) / drawn_px, rng)


def _reduce(image: RgbImage, drawn: DrawnFace, share: float, rng: np.random.Generator) -> FacePicture:
    """The face in a picture `share` as large, through a camera."""
    # Cut off less than a pixel of the small picture, so that its pixels begin anywhere on the face.
    left, top = (int(value) for value in rng.integers(0, max(1, round(1 / share)), 2))
    part = image[top:, left:]
    width, height = max(8, round(part.shape[1] * share)), max(8, round(part.shape[0] * share))
    small = np.asarray(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    landmarks = (drawn.landmarks - [left, top] + 0.5) * [width / part.shape[1], height / part.shape[0]] - 0.5
    return FacePicture(expose(small, rng), landmarks.astype(np.float32))


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))
