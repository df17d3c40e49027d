"""Drawn photos to train the detector on, and their augmentation."""

import math
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import cv2
import numpy as np
import numpy.typing as npt

from demo.brush import RgbImage
from demo.photo import VISIBLE_SHARE, PhotoPlan, draw_photo

#: Side of the square training images.
SIDE_PX = 320
#: People and photos to train on come from seeds above this; albums and evaluations stay below.
TRAINING_SEEDS = 1 << 40

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Example:
    """One training image with F faces."""

    #: (SIDE_PX, SIDE_PX, 3) uint8 RGB.
    image: RgbImage
    #: (F, 4) left, top, right, bottom, pixels.
    boxes: FloatArray
    #: (F, 5, 2) pixels.
    landmarks: FloatArray


def draw_examples(count: int, seed: int, processes: int) -> list[Example]:
    """Draw `count` photos; the same for the same seed, whatever the number of processes."""
    seeds = range(seed * 1_000_000, seed * 1_000_000 + count)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(_draw_example, seeds, chunksize=32))


def _draw_example(seed: int) -> Example:
    cv2.setNumThreads(1)
    rng = np.random.default_rng([13, seed])
    people = [int(person) for person in TRAINING_SEEDS + rng.integers(1 << 40, size=8)]
    kind, count = rng.random(), int(rng.choice([0, 1, 2, 3, 4, 6, 8]))
    if kind < 0.25:
        plan, count = PhotoPlan(544, 544, 90, 330, liveliness=1.1), min(count, 3)
    elif kind < 0.5:
        plan = PhotoPlan(SIDE_PX, SIDE_PX, 13, 80, liveliness=1.1)
    else:
        plan = PhotoPlan(SIDE_PX, SIDE_PX, 14, 198, liveliness=1.1)
    image, faces = draw_photo(plan, people[:count], TRAINING_SEEDS + seed)
    boxes = np.array([face.box for face in faces], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    landmarks = np.array([face.landmarks for face in faces], np.float32).reshape(-1, 5, 2)
    if plan.width == SIDE_PX:
        return Example(image, boxes, landmarks)
    return _crop(image, boxes, landmarks, rng)


def _crop(image: RgbImage, boxes: FloatArray, landmarks: FloatArray, rng: np.random.Generator) -> Example:
    """Cut a window around one of the faces; faces that it cuts in two stay listed, `augment` sees to them."""
    room = image.shape[0] - SIDE_PX
    corner = rng.integers(0, room, size=2).astype(np.float32)
    if len(boxes):
        middle = 0.5 * (boxes[-1, :2] + boxes[-1, 2:])
        corner = np.clip(np.round(middle - SIDE_PX / 2 + rng.normal(0, 15, 2)), 0, room).astype(np.float32)
    x, y = (int(value) for value in corner)
    window = np.ascontiguousarray(image[y : y + SIDE_PX, x : x + SIDE_PX])
    return Example(window, boxes - np.tile(corner, 2), landmarks - corner)


@dataclass(frozen=True)
class Augmented:
    """An example as the network sees it in one step."""

    #: (SIDE_PX, SIDE_PX, 3) float32 RGB, 0-255.
    image: FloatArray
    boxes: FloatArray
    landmarks: FloatArray
    #: (G, 4): faces too far outside of the image to ask for.
    ignored: FloatArray


def augment(example: Example, rng: np.random.Generator) -> Augmented:
    """Scale, shift, flip and expose an example at random."""
    scale = math.exp(rng.uniform(math.log(0.75), math.log(1.3))) if rng.random() < 0.8 else 1.0
    shift = rng.uniform(-28, 28, size=2) + (1 - scale) * SIDE_PX / 2 if scale != 1.0 else np.zeros(2)
    image, boxes, landmarks = example.image, example.boxes, example.landmarks
    if scale != 1.0:
        image, boxes, landmarks = _move(example, scale, shift.astype(np.float32), rng)
    if rng.random() < 0.5:
        image = image[:, ::-1]
        boxes = (boxes * [-1, 1, -1, 1] + [SIDE_PX - 1, 0, SIDE_PX - 1, 0])[:, [2, 1, 0, 3]].astype(np.float32)
        landmarks = (landmarks * [-1, 1] + [SIDE_PX - 1, 0])[:, [1, 0, 2, 4, 3]].astype(np.float32)
    pixels = image.astype(np.float32)
    if rng.random() < 0.5:
        pixels = np.clip(pixels * np.float32(rng.uniform(0.75, 1.2)) + np.float32(rng.uniform(-18, 18)), 0, 255)
    if rng.random() < 0.04:
        pixels = pixels.mean(axis=2, keepdims=True).repeat(3, axis=2)
    inside = np.clip(boxes, 0, SIDE_PX)
    visible = _areas(inside) / np.maximum(_areas(boxes), 1e-6) >= VISIBLE_SHARE
    return Augmented(pixels, inside[visible], landmarks[visible], inside[~visible])


def _move(
    example: Example, scale: float, shift: FloatArray, rng: np.random.Generator
) -> tuple[RgbImage, FloatArray, FloatArray]:
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    # Black as the padding of a detector's input, or any grey.
    border = (0.0, 0.0, 0.0) if rng.random() < 0.6 else (rng.uniform(0, 255),) * 3
    image = cv2.warpAffine(example.image, matrix, (SIDE_PX, SIDE_PX), flags=cv2.INTER_LINEAR, borderValue=border)
    scaled = np.float32(scale)
    return image.astype(np.uint8), example.boxes * scaled + np.tile(shift, 2), example.landmarks * scaled + shift


def _areas(boxes: FloatArray) -> FloatArray:
    return np.asarray(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))


def total_faces(examples: Iterable[Example]) -> int:
    """How many faces the examples hold."""
    return sum(len(example.boxes) for example in examples)
