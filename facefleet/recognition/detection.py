"""SCRFD face detection: one picture in a few fixed sizes, boxes and five landmarks out.

Source of the decoding: insightface.model_zoo.scrfd; Guo et al. 2021, "Sample and Computation Redistribution for
Efficient Face Detection".
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facefleet.errors import RecognizerUnavailable
from facefleet.face_records import Box, Detection, RgbImage
from facefleet.recognition.orientation import resize_image

_STRIDES = (8, 16, 32)
_COARSEST_STRIDE = 32
_SCORE_WIDTH, _BOX_WIDTH, _LANDMARKS_WIDTH = 1, 4, 10
#: Boxes that overlap more than this (intersection over union) are one face, as in InsightFace.
_NMS_OVERLAP = 0.4
#: Shorter sides of the inputs, in parts of the longer: few shapes, so that photos share batches and compiled models.
_SIDE_RATIOS = (0.6, 0.7, 0.8, 0.85, 1.0)
#: Of a selfie's input to that of other photos: 256 of 640, where people are told apart as well as at 320 or 640.
_SELFIE_RATIO = 0.4
#: Black rows (or columns) after the photo's shorter side, in parts of the longer. SCRFD's answers depend on what lies
#: beyond the edge: with this margin templates agree with those of a square input (cosine 0.995 at the first percentile,
#: without it 0.953).
_MARGIN = 0.1


@dataclass(frozen=True, slots=True)
class DetectorInput:
    """A photo shrunk onto the top left of a black canvas."""

    #: (H, W, 3) uint8 RGB, H and W multiples of 32.
    pixels: RgbImage
    #: Pixels of the canvas for one pixel of the image, along x and y.
    scale: tuple[float, float]


@dataclass(frozen=True, slots=True)
class RawDetections:
    """Outputs of the detector for one picture: three strides of (A,) scores, (A, 4) boxes, (A, 10) landmarks."""

    scores: tuple[NDArray[np.float32], ...]
    boxes: tuple[NDArray[np.float32], ...]
    landmarks: tuple[NDArray[np.float32], ...]


def choose_canvas(height_px: int, width_px: int, longer_side_px: int) -> tuple[int, int]:
    """Choose (height, width) of the detector's input: the smallest of a few shapes that fits the photo and a margin.

    Args:
        height_px: of the photo.
        width_px: of the photo.
        longer_side_px: of the input, a multiple of 32.
    """
    needed = longer_side_px * (min(height_px, width_px) / max(height_px, width_px) + _MARGIN)
    sides = _shorter_sides(longer_side_px)
    shorter = next((side for side in sides if side >= math.floor(needed)), longer_side_px)
    return (shorter, longer_side_px) if width_px >= height_px else (longer_side_px, shorter)


def usual_canvases(longer_side_px: int) -> list[tuple[int, int]]:
    """The (height, width) that photos of phones get, which are three by four, lying and upright."""
    return [choose_canvas(3, 4, longer_side_px), choose_canvas(4, 3, longer_side_px)]


def halve_side(longer_side_px: int) -> int:
    """Halve a longer side of the detector's input; it stays a multiple of 32."""
    return max(longer_side_px // 2 // _COARSEST_STRIDE * _COARSEST_STRIDE, _COARSEST_STRIDE)


def selfie_side(longer_side_px: int) -> int:
    """Shrink a longer side of the detector's input as far as a large face is still found; a multiple of 32."""
    return max(int(longer_side_px * _SELFIE_RATIO) // _COARSEST_STRIDE * _COARSEST_STRIDE, _COARSEST_STRIDE)


def _shorter_sides(longer_side_px: int) -> list[int]:
    return [math.ceil(longer_side_px * ratio / _COARSEST_STRIDE) * _COARSEST_STRIDE for ratio in _SIDE_RATIOS]


def fit_to_canvas(image: RgbImage, canvas_px: tuple[int, int], longer_side_px: int) -> DetectorInput:
    """Shrink (or enlarge) an image and put it on the top left of a black canvas.

    Bilinear without smoothing, as in InsightFace: smoother shrinking moves the landmarks by enough to change templates
    (cosine to InsightFace's 0.97 at the fifth percentile, with this 0.997).

    Args:
        image: (H, W, 3) uint8 RGB.
        canvas_px: (height, width), from `choose_canvas`.
        longer_side_px: what the image's longer side becomes.
    """
    height, width = image.shape[:2]
    ratio = longer_side_px / max(height, width)
    new_height, new_width = max(int(height * ratio), 1), max(int(width * ratio), 1)
    pixels = np.zeros((*canvas_px, 3), np.uint8)
    pixels[:new_height, :new_width] = resize_image(image, new_width, new_height, cv2.INTER_LINEAR)
    return DetectorInput(pixels, (new_width / width, new_height / height))


def split_outputs(outputs: Sequence[NDArray[np.float32]], batch_size: int) -> list[RawDetections]:
    """Sort a detector's nine outputs by what they are and hand each picture its own.

    Outputs are told apart by their width (1, 4, 10) and their count of anchors (finest stride most); their order and
    names differ between files.

    Raises:
        RecognizerUnavailable: the outputs are not those of an SCRFD detector with landmarks.
    """
    by_width: dict[int, list[NDArray[np.float32]]] = {_SCORE_WIDTH: [], _BOX_WIDTH: [], _LANDMARKS_WIDTH: []}
    for output in outputs:
        width = output.shape[-1]
        if width in by_width and output.size % (batch_size * width) == 0:
            by_width[width].append(output.reshape(batch_size, -1, width))
    if any(len(group) != len(_STRIDES) for group in by_width.values()):
        raise RecognizerUnavailable("The detector does not answer scores, boxes and landmarks for three strides.")
    for group in by_width.values():
        group.sort(key=lambda output: -output.shape[1])
    scores, boxes, landmarks = by_width.values()
    return [
        RawDetections(
            tuple(output[number, :, 0] for output in scores),
            tuple(output[number] for output in boxes),
            tuple(output[number] for output in landmarks),
        )
        for number in range(batch_size)
    ]


def decode_detections(raw: RawDetections, fitted: DetectorInput, threshold: float) -> list[Detection]:
    """Turn raw outputs into faces, best detection score first.

    Args:
        raw: of the picture.
        fitted: what the detector was given.
        threshold: smallest detection score.

    Returns:
        Detections in pixels of the image that was fitted, not clipped to it.

    Raises:
        RecognizerUnavailable: a score is not a number.
    """
    height, width = fitted.pixels.shape[:2]
    rows = [_decode_stride(raw, level, (height // stride, width // stride), threshold) for level, stride in _levels()]
    found = np.concatenate(rows)
    found = found[np.lexsort((found[:, 1], found[:, 0], -found[:, 4]))]
    found = found[suppress_overlaps(found[:, :5])]
    scale_x, scale_y = fitted.scale
    return [scale_detection(_to_detection(row), 1 / scale_x, 1 / scale_y) for row in found]


def _levels() -> Iterable[tuple[int, int]]:
    return enumerate(_STRIDES)


def _decode_stride(raw: RawDetections, level: int, grid: tuple[int, int], threshold: float) -> NDArray[np.float32]:
    """Decode one stride's anchors above the threshold to rows of (x1, y1, x2, y2, score, 10 landmarks)."""
    scores = raw.scores[level]
    if not np.isfinite(scores).all():
        raise RecognizerUnavailable("The detector answers scores that are not numbers.")
    kept = np.flatnonzero(scores >= threshold)
    if not kept.size:
        return np.empty((0, _BOX_WIDTH + _SCORE_WIDTH + _LANDMARKS_WIDTH), np.float32)
    stride = _STRIDES[level]
    anchors_per_place = max(len(scores) // (grid[0] * grid[1]), 1)
    place = kept // anchors_per_place
    centres = np.stack([place % grid[1], place // grid[1]], axis=1).astype(np.float32) * stride
    distances = raw.boxes[level][kept] * stride
    landmarks = raw.landmarks[level][kept] * stride + np.tile(centres, 5)
    return np.concatenate(
        [centres - distances[:, :2], centres + distances[:, 2:], scores[kept, None], landmarks], axis=1
    )


def suppress_overlaps(boxes: NDArray[np.float32], overlap: float = _NMS_OVERLAP) -> list[int]:
    """Keep the best of the boxes that overlap.

    Args:
        boxes: (N, 4 or more) corners x1, y1, x2, y2 in pixels, best first.
        overlap: intersection over union above which the worse box is dropped.

    Returns:
        Indices of the boxes that stay, best first.

    Source: greedy non-maximum suppression with inclusive corners, as in insightface.
    """
    x1, y1, x2, y2 = boxes[:, :4].T
    areas = (x2 - x1 + 1) * (y2 - y1 + 1)
    rest, kept = np.arange(len(boxes)), []
    while rest.size:
        best, rest = rest[0], rest[1:]
        kept.append(int(best))
        w = np.minimum(x2[best], x2[rest]) - np.maximum(x1[best], x1[rest]) + 1
        h = np.minimum(y2[best], y2[rest]) - np.maximum(y1[best], y1[rest]) + 1
        shared = np.maximum(w, 0) * np.maximum(h, 0)
        rest = rest[shared <= overlap * (areas[best] + areas[rest] - shared)]
    return kept


def _to_detection(row: NDArray[np.float32]) -> Detection:
    x1, y1, x2, y2, score = row[:5].tolist()
    return Detection(Box(x1, y1, x2 - x1, y2 - y1), row[5:].reshape(5, 2), min(score, 1.0))


def scale_detection(face: Detection, scale_x: float, scale_y: float) -> Detection:
    """Turn a detection into pixels of an image that is `scale_x` times as wide and `scale_y` times as high."""
    box = Box(face.box.x * scale_x, face.box.y * scale_y, face.box.w * scale_x, face.box.h * scale_y)
    landmarks = (face.landmarks * (scale_x, scale_y)).astype(np.float32)
    return Detection(box, landmarks, face.detection_score)


def clip_detection(face: Detection, width_px: int, height_px: int) -> Detection:
    """Clip box and landmarks to a photo of this size."""
    left, top = (min(max(value, 0.0), float(end)) for value, end in ((face.box.x, width_px), (face.box.y, height_px)))
    right = min(max(face.box.x + face.box.w, left), float(width_px))
    bottom = min(max(face.box.y + face.box.h, top), float(height_px))
    landmarks = np.clip(face.landmarks, 0, (width_px, height_px)).astype(np.float32)
    return Detection(Box(left, top, right - left, bottom - top), landmarks, face.detection_score)
