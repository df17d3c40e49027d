"""What recognition finds in a photo: array types and frozen dataclasses. The processes that decode load no others."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

#: (H, W, 3) uint8, RGB, EXIF-upright.
RgbImage: TypeAlias = NDArray[np.uint8]
#: (112, 112, 3) uint8, RGB: one face in the ArcFace canonical pose.
AlignedFace: TypeAlias = NDArray[np.uint8]
#: (5, 2) float32, pixels: left eye, right eye, nose, left and right mouth corner, as seen in the image.
Landmarks: TypeAlias = NDArray[np.float32]
#: (D,) float32, L2 norm 1; only comparable within one model version.
Template: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned rectangle in pixels of the upright photo."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class Detection:
    """One face found in a photo."""

    box: Box
    landmarks: Landmarks
    #: The detector's confidence, 0-1.
    detection_score: float


@dataclass(frozen=True, slots=True)
class Quality:
    """How usable a face is; every value is measured, none is guessed."""

    #: 0-1, the product of the parts below mapped to 0-1: what sorting and filtering use.
    overall: float
    #: The shorter side of the box, in pixels of the upright photo.
    size_px: float
    #: Variance of the Laplacian of the aligned face, grey levels squared.
    sharpness: float
    #: Mean luma of the aligned face, 0-255.
    brightness: float
    #: Degrees, estimated from the five landmarks; positive yaw looks to the image's right, positive pitch looks down.
    yaw_deg: float
    pitch_deg: float
    roll_deg: float


@dataclass(frozen=True, slots=True)
class RecognizedFace:
    """One detection with its template, before it has an id."""

    detection: Detection
    template: Template
    quality: Quality


@dataclass(frozen=True, slots=True)
class RecognizedPhoto:
    """What the recognizer found in one photo; no faces is a result."""

    #: Size of the upright photo.
    width_px: int
    height_px: int
    faces: tuple[RecognizedFace, ...]
    #: When it was taken, by the camera's own clock, without a time zone; None: not known.
    taken_at: datetime | None = None
