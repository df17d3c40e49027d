"""A photo of several drawn people, with its labels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from demo.brush import Brush, RgbImage
from demo.camera import expose
from demo.geometry import closed_curve, similarity
from demo.identity import draw_identity
from demo.palette import CLOTH_COLOURS, pick
from demo.portrait import Box, DrawnFace, Landmarks, Place, draw_portrait
from demo.scenery import paint_scene
from demo.shot import draw_shot

#: Sets photos apart from everything else that is drawn from a seed.
PHOTO_STREAM = 11
#: A face is labelled when at least this share of its box lies inside the photo.
VISIBLE_SHARE = 0.7
#: Share of faces that something is held in front of, and of people who stand at the border.
OCCLUDED_SHARE = 0.06
BORDER_SHARE = 0.08


@dataclass(frozen=True)
class PhotoPlan:
    """What kind of photo is wanted."""

    width: int
    height: int
    #: Range of the faces' heights, hairline to chin.
    min_face_px: float
    max_face_px: float
    #: How far heads turn: 1 as in `Shot`.
    liveliness: float = 1.0


@dataclass(frozen=True)
class LabelledFace:
    """Who is where in a photo."""

    person_seed: int
    #: Left, top, width, height in pixels, cut at the photo's border.
    box: Box
    #: (5, 2) float32, pixels.
    landmarks: Landmarks


def draw_photo(plan: PhotoPlan, people: Sequence[int], photo_seed: int) -> tuple[RgbImage, list[LabelledFace]]:
    """Draw a photo of `people` (person seeds); those for whom there is no room are left out.

    Returns:
        (H, W, 3) uint8 RGB, and the labels of its faces.
    """
    rng = np.random.default_rng([PHOTO_STREAM, photo_seed])
    image = paint_scene(rng, plan.height, plan.width)
    faces = []
    for person_seed, place in zip(people, _arrange(plan, len(people), rng), strict=False):
        drawn = draw_portrait(image, draw_identity(person_seed), draw_shot(rng, plan.liveliness), place)
        if rng.random() < OCCLUDED_SHARE:
            hold_something(image, drawn, rng)
        faces.append(LabelledFace(person_seed, clip_box(drawn.box, plan.width, plan.height), drawn.landmarks))
    return expose(image, rng), faces


def clip_box(box: Box, width: int, height: int) -> Box:
    """The part of a box that lies inside an image."""
    left, top = max(0.0, box[0]), max(0.0, box[1])
    right, bottom = min(float(width), box[0] + box[2]), min(float(height), box[1] + box[3])
    return left, top, max(0.0, right - left), max(0.0, bottom - top)


def _arrange(plan: PhotoPlan, count: int, rng: np.random.Generator) -> list[Place]:
    """Places that leave every face visible, those in front last."""
    largest = min(plan.max_face_px, 0.62 * min(plan.width, plan.height))
    grouped = rng.random() < 0.6
    common = _log_uniform(rng, plan.min_face_px * 1.2, largest * 0.8)
    places: list[Place] = []
    for _ in range(count):
        for _attempt in range(12):
            face_px = common * rng.uniform(0.82, 1.2) if grouped else _log_uniform(rng, plan.min_face_px, largest)
            place = _random_place(plan, face_px, rng)
            if all(_apart(place, other) for other in places):
                places.append(place)
                break
    return sorted(places, key=lambda place: place.y + 0.4 * place.face_px)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def _random_place(plan: PhotoPlan, face_px: float, rng: np.random.Generator) -> Place:
    x = rng.uniform(0.5 * face_px, plan.width - 0.5 * face_px)
    # Feet, four faces below the face, reach the ground: nobody hangs in the sky.
    highest = max(0.62 * face_px, min(0.7 * plan.height - 4.2 * face_px, 0.5 * plan.height))
    y = rng.uniform(highest, plan.height - 0.6 * face_px)
    if rng.random() < BORDER_SHARE:
        x = 0.36 * face_px if rng.random() < 0.5 else plan.width - 0.36 * face_px
    return Place(x, y, face_px)


def _apart(first: Place, second: Place) -> bool:
    behind, front = sorted((first, second), key=lambda place: place.y + 0.4 * place.face_px)
    beside = abs(first.x - second.x) > 0.62 * (first.face_px + second.face_px)
    return beside or front.y - behind.y > 0.62 * behind.face_px + 0.85 * front.face_px


def hold_something(image: RgbImage, face: DrawnFace, rng: np.random.Generator) -> None:
    """Cover a corner or an edge of the face, at most about a fifth of it."""
    left, top, width, height = face.box
    size = rng.uniform(0.2, 0.3) * height
    side = rng.choice([-1.0, 1.0])
    x = left + width * (0.5 + side * rng.uniform(0.42, 0.6))
    y = top + height * rng.uniform(0.6, 1.05)
    brush = Brush(image, similarity(size, rng.uniform(-0.5, 0.5), x, y))
    corners = [[-1.0, -0.8], [0.2, -1.0], [1.0, -0.5], [0.9, 0.8], [0.0, 1.1], [-0.9, 0.7]]
    brush.fill(closed_curve(np.array(corners) * rng.uniform(0.75, 1.1, (6, 2))), pick(rng, CLOTH_COLOURS))
