"""What the detector should answer for a labelled image."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demo.training.detector_network import ANCHORS_PER_CELL, FIELD_STRIDES, STRIDES

FloatArray = npt.NDArray[np.float32]

#: Face sizes (square root of the box's area, pixels) that each stride's two anchors are for; they overlap.
ANCHOR_SIZES: tuple[tuple[tuple[float, float], ...], ...] = (
    ((0.0, 30.0), (24.0, 58.0)),
    ((46.0, 92.0), (74.0, 132.0)),
    ((106.0, 205.0), (165.0, 1e9)),
)
#: Half the side of the window around a landmark in which the field is taught, cells.
FIELD_REACH = 3


@dataclass(frozen=True)
class Anchors:
    """All A anchors of an image size, in the order of the network's outputs (stride, row, column, anchor)."""

    #: (A, 2) pixels.
    centres: FloatArray
    #: (A,) pixels.
    strides: FloatArray
    #: (A,) face sizes, pixels.
    smallest: FloatArray
    largest: FloatArray


@dataclass(frozen=True)
class Targets:
    """For one image with A anchors."""

    #: (A,): 1 face, 0 none, -1 do not care.
    scores: FloatArray
    #: (A, 4) left, top, right, bottom, pixels.
    boxes: FloatArray
    #: (A, 10) pixels.
    landmarks: FloatArray
    #: Per stride (15, h, w): x and y to each kind of landmark in cells, then five weights, 0 where nothing is taught.
    fields: tuple[FloatArray, ...]


def make_anchors(side_px: int) -> Anchors:
    """The anchors of a square image."""
    columns: list[FloatArray] = []
    for stride, sizes in zip(STRIDES, ANCHOR_SIZES, strict=True):
        cells = side_px // stride
        y, x = np.mgrid[:cells, :cells].reshape(2, -1) * stride
        low, high = np.tile(np.array(sizes), (cells * cells, 1)).T
        rows = [np.repeat(x, ANCHORS_PER_CELL), np.repeat(y, ANCHORS_PER_CELL), np.full(low.shape, stride), low, high]
        columns.append(np.stack(rows).astype(np.float32))
    x, y, strides, smallest, largest = np.concatenate(columns, axis=1)
    return Anchors(np.stack([x, y], axis=1), strides, smallest, largest)


def make_targets(boxes: FloatArray, landmarks: FloatArray, anchors: Anchors, side_px: int) -> Targets:
    """Assign faces to anchors.

    Args:
        boxes: (F, 4) left, top, right, bottom, pixels.
        landmarks: (F, 5, 2) pixels.
        anchors: those of the image's size.
        side_px: the image is square.
    """
    count = len(anchors.strides)
    targets = Targets(
        scores=np.zeros(count, np.float32),
        boxes=np.zeros((count, 4), np.float32),
        landmarks=np.zeros((count, 10), np.float32),
        fields=tuple(np.zeros((15, side_px // stride, side_px // stride), np.float32) for stride in FIELD_STRIDES),
    )
    nearest = np.full(count, np.inf, np.float32)
    for box, points in zip(boxes, landmarks, strict=True):
        _assign(box, points, anchors, targets, nearest)
        for level, field in enumerate(targets.fields):
            (low, _), (_, high) = ANCHOR_SIZES[level]
            if low * 0.8 <= _size(box) < high * 1.25:
                _teach_field(points / FIELD_STRIDES[level], field)
    return targets


def _size(box: FloatArray) -> float:
    return float(np.sqrt((box[2] - box[0]) * (box[3] - box[1])))


def _assign(box: FloatArray, points: FloatArray, anchors: Anchors, targets: Targets, nearest: FloatArray) -> None:
    """Positives lie within a stride of the face's middle; a ring around them is left open."""
    size = _size(box)
    middle = 0.25 * (box[:2] + box[2:]) + 0.5 * points.mean(axis=0)
    distance = np.abs(anchors.centres - middle).max(axis=1)
    fits = (size >= anchors.smallest) & (size < anchors.largest)
    nearly_fits = (size >= anchors.smallest * 0.8) & (size < anchors.largest * 1.25)
    ring = (nearly_fits & (distance < 1.6 * anchors.strides)) | (fits & (distance < 2.0 * anchors.strides))
    targets.scores[ring & (targets.scores == 0)] = -1
    chosen = fits & (distance < np.minimum(anchors.strides, 0.5 * size)) & (distance < nearest)
    if not chosen.any():
        fitting = np.flatnonzero(fits)
        chosen[fitting[np.argsort(distance[fitting])[:2]]] = True
    nearest[chosen] = distance[chosen]
    targets.scores[chosen] = 1
    targets.boxes[chosen] = box
    targets.landmarks[chosen] = points.reshape(-1)


def _teach_field(points: FloatArray, field: FloatArray) -> None:
    """Write offsets around five landmarks (in cells of the field); what lies outside of the image is left out."""
    side = field.shape[1]
    for kind, (x, y) in enumerate(points):
        left, top = max(0, round(float(x)) - FIELD_REACH), max(0, round(float(y)) - FIELD_REACH)
        right, bottom = min(side, round(float(x)) + FIELD_REACH + 1), min(side, round(float(y)) + FIELD_REACH + 1)
        if not (0 <= x < side and 0 <= y < side):
            continue
        field[2 * kind, top:bottom, left:right] = x - np.arange(left, right)[None]
        field[2 * kind + 1, top:bottom, left:right] = y - np.arange(top, bottom)[:, None]
        field[10 + kind, top:bottom, left:right] = 1.0
