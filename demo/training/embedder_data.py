"""Aligned faces of drawn people to train the embedder on."""

import math
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
from demo.portrait import Landmarks, Place, draw_portrait
from demo.scenery import paint_scene
from demo.shot import draw_shot
from demo.training.detector_data import TRAINING_SEEDS
from demo.training.embedder_network import FACE_SIDE_PX

#: ArcFace's canonical landmarks in a 112 x 112 face, pixels (Deng et al., 2019).
CANONICAL_LANDMARKS = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
#: Faces are drawn from this size to that, pixels.
FACE_PX = (15.0, 190.0)


@dataclass(frozen=True)
class LandmarkError:
    """How far a detector's landmarks are off: standard deviation of each point, and of all five together."""

    #: Share of the distance between the eyes.
    relative: float = 0.03
    #: Pixels.
    absolute_px: float = 0.65
    #: Share of the distance between the eyes, common to all points.
    common: float = 0.015


@dataclass(frozen=True)
class FaceSet:
    """M aligned faces."""

    #: (M, 112, 112, 3) uint8 RGB.
    faces: RgbImage
    #: (M,) int64, 0 .. people - 1.
    person: npt.NDArray[np.int64]


def draw_faces(people: int, shots: int, seed: int, processes: int, error: LandmarkError) -> FaceSet:
    """Draw `shots` faces of each of `people`, aligned by landmarks that are off as a detector's are."""
    draw = partial(_draw_person, shots=shots, error=error)
    seeds = range(TRAINING_SEEDS + seed * 1_000_000, TRAINING_SEEDS + seed * 1_000_000 + people)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        faces = np.concatenate(list(pool.map(draw, seeds, chunksize=8)))
    return FaceSet(faces, np.repeat(np.arange(people), shots))


def _draw_person(person_seed: int, shots: int, error: LandmarkError) -> RgbImage:
    cv2.setNumThreads(1)
    return np.stack([_draw_face(person_seed, shot, error) for shot in range(shots)])


def _draw_face(person_seed: int, shot_seed: int, error: LandmarkError) -> RgbImage:
    rng = np.random.default_rng([19, person_seed, shot_seed])
    face_px = math.exp(rng.uniform(math.log(FACE_PX[0]), math.log(FACE_PX[1])))
    # An aligned face shows about 1.3 times the face.
    side = math.ceil(face_px * 1.9)
    image = paint_scene(rng, side, side)
    place = Place(side / 2 + rng.uniform(-0.5, 0.5), side / 2 + rng.uniform(-0.5, 0.5), face_px)
    drawn = draw_portrait(image, draw_identity(person_seed), draw_shot(rng), place)
    if rng.random() < OCCLUDED_SHARE:
        hold_something(image, drawn, rng)
    return align(expose(image, rng), disturb(drawn.landmarks, error, rng))


def disturb(landmarks: Landmarks, error: LandmarkError, rng: np.random.Generator) -> Landmarks:
    """Landmarks as a detector might report them."""
    between_eyes = max(4.0, float(np.linalg.norm(landmarks[0] - landmarks[1])))
    spread = (error.relative * between_eyes + error.absolute_px) * rng.uniform(0.3, 1.3)
    noise = rng.normal(0, spread, (5, 2)) + rng.normal(0, error.common * between_eyes, 2)
    return (landmarks + noise).astype(np.float32)


def align(image: RgbImage, landmarks: Landmarks) -> RgbImage:
    """Warp one face to the canonical pose by the least-squares similarity (Umeyama, 1991).

    Args:
        image: (H, W, 3) uint8 RGB.
        landmarks: (5, 2) pixels.

    Returns:
        (112, 112, 3) uint8 RGB.
    """
    source, wanted = landmarks.astype(np.float64), CANONICAL_LANDMARKS
    a, b = source - source.mean(axis=0), wanted - wanted.mean(axis=0)
    power = (a**2).sum()
    cos = (a * b).sum() / power
    sin = (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / power
    turn = np.array([[cos, -sin], [sin, cos]])
    shift = wanted.mean(axis=0) - turn @ source.mean(axis=0)
    matrix = np.concatenate([turn, shift[:, None]], axis=1)
    return np.asarray(cv2.warpAffine(image, matrix, (FACE_SIDE_PX, FACE_SIDE_PX), borderValue=0.0), np.uint8)
