"""Curves and outlines, as (N, 2) float64 arrays of x (right) and y (down)."""

import math

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

_AROUND = np.linspace(0.0, 2.0 * math.pi, 24, endpoint=False)
#: (24, 2) points of the circle of radius 1.
UNIT_CIRCLE: Points = np.stack([np.cos(_AROUND), np.sin(_AROUND)], axis=1)


def ellipse(centre_x: float, centre_y: float, radius_x: float, radius_y: float, tilt: float = 0.0) -> Points:
    """Outline of an ellipse, 24 corners, `tilt` in radians."""
    cos, sin = math.cos(tilt), math.sin(tilt)
    axes = np.array([[radius_x * cos, radius_x * sin], [-radius_y * sin, radius_y * cos]])
    return np.asarray(UNIT_CIRCLE @ axes + (centre_x, centre_y))


def closed_curve(corners: npt.ArrayLike, steps: int = 6) -> Points:
    """A smooth closed outline through `corners` (Catmull-Rom, `steps` points per corner)."""
    points = np.asarray(corners, dtype=np.float64)
    return _spline(np.concatenate([points[-1:], points, points[:2]]), steps)


def open_curve(corners: npt.ArrayLike, steps: int = 6) -> Points:
    """A smooth line through `corners` (Catmull-Rom), its ends included."""
    points = np.asarray(corners, dtype=np.float64)
    inner = _spline(np.concatenate([points[:1], points, points[-1:]]), steps)
    return np.concatenate([inner, points[-1:]])


def _spline(points: Points, steps: int) -> Points:
    t = np.linspace(0.0, 1.0, steps, endpoint=False)[None, :, None]
    a, b, c, d = (points[start : len(points) - 3 + start, None] for start in range(4))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.asarray(curve.reshape(-1, 2))


def ribbon(line: Points, width: float, taper: float = 0.0) -> Points:
    """Outline of a stroke along `line`; `taper` 1 lets both ends run out to nothing."""
    direction = np.concatenate([line[1:2] - line[:1], line[2:] - line[:-2], line[-1:] - line[-2:-1]])
    length = np.maximum(np.hypot(direction[:, :1], direction[:, 1:]), 1e-9)
    normal = direction[:, ::-1] * (-1.0, 1.0) / length
    along = np.arange(len(line))[:, None] * (2.0 / (len(line) - 1)) - 1.0
    half = 0.5 * width * (1.0 - taper * along**2)
    return np.concatenate([line + normal * half, (line - normal * half)[::-1]])


def mirror(points: npt.ArrayLike) -> Points:
    """The right half of a symmetric outline (top to bottom), completed by its mirror image."""
    right = np.asarray(points, dtype=np.float64)
    left = right[::-1] * [-1.0, 1.0]
    return np.concatenate([right, left])


def similarity(scale: float, angle: float, shift_x: float, shift_y: float) -> Points:
    """(2, 3) matrix that scales, turns by `angle` radians, then shifts."""
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    return np.array([[cos, -sin, shift_x], [sin, cos, shift_y]])


def transform(matrix: Points, points: npt.ArrayLike) -> Points:
    """`points` under a (2, 3) affine matrix."""
    return np.asarray(np.asarray(points, dtype=np.float64) @ matrix[:, :2].T + matrix[:, 2])
