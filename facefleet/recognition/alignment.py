"""Faces in their canonical pose: 112x112 pixels with the five landmarks where the embedder expects them."""

import cmath
import math
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from facefleet.errors import DegenerateLandmarks
from facefleet.face_records import AlignedFace, Landmarks, RgbImage
from facefleet.recognition.orientation import turn_of

ALIGNED_SIZE_PX = 112

#: Where the landmarks of an aligned face lie, in pixels, x + iy. Source: insightface.utils.face_align.
_TEMPLATE = (38.2946 + 51.6963j, 73.5318 + 51.5014j, 56.0252 + 71.7366j, 41.5493 + 92.3655j, 70.7299 + 92.2041j)
_TEMPLATE_CENTRE = sum(_TEMPLATE) / len(_TEMPLATE)
#: Landmarks closer together than this, in pixels, fix no direction.
_MIN_SPREAD_PX = 1e-3
#: Smaller than this, a scale is rounding.
_MIN_TURN = float(np.finfo(np.float32).eps)


def estimate_alignment(landmarks: Landmarks) -> NDArray[np.float64]:
    """Find the similarity transform that takes landmarks to the ArcFace template with the least squared error.

    In the complex plane a similarity without reflection is `a * z + b`, so the optimum that Umeyama's method finds
    with a singular value decomposition is a plain linear regression.

    Args:
        landmarks: (5, 2) float32, pixels.

    Returns:
        (2, 3) float64, pixels of the photo to pixels of the aligned face.

    Raises:
        DegenerateLandmarks: the points coincide or are not finite.

    Source: Umeyama 1991, restricted to the plane.
    """
    points = [complex(x, y) for x, y in landmarks.tolist()]  # five are worked on faster without NumPy
    if not all(map(cmath.isfinite, points)):
        raise DegenerateLandmarks("The five landmarks of a face are not finite.")
    centre = sum(points) / len(points)
    offsets = [point - centre for point in points]
    spread = sum(abs(offset) ** 2 for offset in offsets)
    if spread < _MIN_SPREAD_PX**2:
        raise DegenerateLandmarks("The five landmarks of a face coincide.")
    moments = (
        offset.conjugate() * (target - _TEMPLATE_CENTRE) for offset, target in zip(offsets, _TEMPLATE, strict=True)
    )
    turn = sum(moments) / spread
    shift = _TEMPLATE_CENTRE - turn * centre
    if abs(turn) < _MIN_TURN:
        raise DegenerateLandmarks("The five landmarks of a face fix no pose.")
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def lacks_pixels(landmarks: Landmarks) -> bool:
    """Tell whether aligning a face blows it up, so that it lacks detail; not where the points fix no pose."""
    try:
        alignment = estimate_alignment(landmarks)
    except DegenerateLandmarks:
        return False
    return math.hypot(alignment[0, 0], alignment[1, 0]) > 1


def align_face(image: RgbImage, landmarks: Landmarks) -> AlignedFace:
    """Warp one face to the ArcFace canonical pose.

    Args:
        image: (H, W, 3) uint8 RGB, EXIF-upright.
        landmarks: (5, 2) float32 in pixels of `image`: left eye, right eye, nose, left and right mouth corner.

    Returns:
        (112, 112, 3) uint8 RGB; black where the photo ends.

    Raises:
        DegenerateLandmarks: the points do not fix a similarity transform.

    Source: Umeyama 1991; template of insightface.utils.face_align.
    """
    turn = turn_of(image)
    alignment = estimate_alignment(landmarks) @ turn.places(*image.shape[:2])
    size = (ALIGNED_SIZE_PX, ALIGNED_SIZE_PX)
    return cast("AlignedFace", cv2.warpAffine(turn.undo(image), alignment, size, borderValue=0.0))
