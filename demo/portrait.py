"""One person drawn into an image, with the labels of what was drawn."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from demo.adornment import paint_beard, paint_glasses, paint_headwear, paint_marks
from demo.brush import Brush, RgbImage
from demo.features import paint_eyes, paint_mouth, paint_nose
from demo.geometry import Points, similarity, transform
from demo.hair import paint_back_hair, paint_front_hair
from demo.head import head_outline, paint_body, paint_ears, paint_figure, paint_head
from demo.identity import Identity
from demo.shot import Shot
from demo.sitting import HeadSurface, Sitting

#: Height of the labelled face (hairline to chin) in head units.
FACE_HEIGHT = 1.8
#: The box begins here, head units: about where a face detector's does, on the forehead.
BOX_TOP = -0.8
#: A face smaller than this is drawn enlarged and then reduced: OpenCV's own anti-aliasing is too coarse for it.
WELL_DRAWN_PX = 110
#: What a person needs around the middle of the face, head units: left and right, above, below.
REACH = (2.0, 1.9, 2.4)

Box = tuple[float, float, float, float]
Landmarks = npt.NDArray[np.float32]


@dataclass(frozen=True)
class DrawnFace:
    """The label of one face, in pixels of the image it was drawn into."""

    #: Left, top, width, height.
    box: Box
    #: (5, 2) float32: left eye, right eye, nose, left and right mouth corner, as seen in the image.
    landmarks: Landmarks


@dataclass(frozen=True)
class Place:
    """Where a face goes, in pixels."""

    x: float
    y: float
    #: Height of the face from hairline to chin.
    face_px: float


def draw_portrait(image: RgbImage, identity: Identity, shot: Shot, place: Place) -> DrawnFace:
    """Draw a person onto `image`, (H, W, 3) uint8 RGB, in place; parts may lie outside."""
    unit = place.face_px / FACE_HEIGHT
    surface = HeadSurface(identity.head.half_width, shot.yaw, shot.pitch)
    to_image = similarity(unit, shot.roll, place.x, place.y)
    paint_figure(Sitting(identity, shot, Brush(image, to_image), surface))
    left, top, right, bottom = _window(image, place, unit)
    enlarged = min(8, math.ceil(WELL_DRAWN_PX / place.face_px))
    part = image[top:bottom, left:right]
    enlarged_size = ((right - left) * enlarged, (bottom - top) * enlarged)
    canvas = np.asarray(cv2.resize(part, enlarged_size, interpolation=cv2.INTER_NEAREST), np.uint8)
    centre_x, centre_y = (place.x - left + 0.5) * enlarged - 0.5, (place.y - top + 0.5) * enlarged - 0.5
    brush = Brush(canvas, similarity(unit * enlarged, shot.roll, centre_x, centre_y))
    outline, landmarks = _paint(Sitting(identity, shot, brush, surface))
    image[top:bottom, left:right] = cv2.resize(canvas, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    return _labels(to_image, outline, landmarks)


def _window(image: RgbImage, place: Place, unit: float) -> tuple[int, int, int, int]:
    height, width = image.shape[:2]
    aside, above, below = (reach * unit for reach in REACH)
    left, right = max(0, int(place.x - aside)), min(width, int(place.x + aside) + 1)
    top, bottom = max(0, int(place.y - above)), min(height, int(place.y + below) + 1)
    return left, top, right, bottom


def _paint(sitting: Sitting) -> tuple[Points, Points]:
    outline = head_outline(sitting)
    paint_back_hair(sitting)
    paint_body(sitting)
    paint_ears(sitting)
    skin_mask = paint_head(sitting, outline)
    paint_beard(sitting, skin_mask)
    paint_marks(sitting)
    mouth = paint_mouth(sitting)
    nose = paint_nose(sitting)
    eyes = paint_eyes(sitting)
    sitting.brush.shade(skin_mask, sitting.shot.light_angle, sitting.shot.light_contrast)
    paint_front_hair(sitting)
    paint_headwear(sitting)
    paint_glasses(sitting)
    return outline, np.concatenate([eyes, nose, mouth])


def _labels(to_image: Points, outline: Points, landmarks: Points) -> DrawnFace:
    face = transform(to_image, outline[outline[:, 1] > BOX_TOP])
    (left, top), (right, bottom) = face.min(axis=0), face.max(axis=0)
    return DrawnFace(
        box=(float(left), float(top), float(right - left), float(bottom - top)),
        landmarks=transform(to_image, landmarks).astype(np.float32),
    )
