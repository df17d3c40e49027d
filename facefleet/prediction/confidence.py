"""How sure a score makes one: the share of faces of that score that really are who they look like most."""

from dataclasses import dataclass

import numpy as np

from facefleet.people.face_set import BoolArray, FloatArray

#: Newton's steps; some ten are enough.
_MOST_STEPS = 50
_SMALLEST_STEP = 1e-6
#: Keeps the curve from becoming a cliff where scores part right from wrong without exception.
_STEEPNESS_PENALTY = 0.01


@dataclass(frozen=True, slots=True)
class Confidence:
    """A logistic curve over scores."""

    slope: float
    offset: float

    def of(self, scores: FloatArray) -> FloatArray:
        """Turn scores into 0-1."""
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(self.slope * scores + self.offset, -50.0, 50.0))), np.float32)


def fit_confidence(scores: FloatArray, is_right: BoolArray, weights: FloatArray) -> Confidence:
    """Fit the curve to scores of which is known whether they were right.

    Args:
        scores: (M,) float32.
        is_right: (M,) bool; both kinds occur.
        weights: (M,) float32: how many observations each stands for.

    Source: Platt 1999, with targets that never are 0 or 1, as he proposes: few faces cannot make one very sure.
    """
    spread = max(float(scores.std()), 1e-6)
    middle = float(scores.mean())
    standard = (scores.astype(np.float64) - middle) / spread
    right, wrong = float(weights[is_right].sum()), float(weights[~is_right].sum())
    targets = np.where(is_right, (right + 1) / (right + 2), 1 / (wrong + 2))
    slope, offset = _newton(np.stack([standard, np.ones_like(standard)], axis=1), targets, weights)
    slope = max(slope, 0.0)  # a higher score never makes less sure
    return Confidence(slope / spread, offset - slope * middle / spread)


def _newton(inputs: FloatArray, targets: FloatArray, weights: FloatArray) -> tuple[float, float]:
    """Minimise the cross entropy of a logistic curve of two parameters."""
    found = np.zeros(2)
    penalty = np.diag([_STEEPNESS_PENALTY, 0.0])
    for _ in range(_MOST_STEPS):
        guessed = 1.0 / (1.0 + np.exp(-np.clip(inputs @ found, -50.0, 50.0)))
        gradient = inputs.T @ (weights * (guessed - targets)) + penalty @ found
        curvature = (inputs * (weights * guessed * (1.0 - guessed))[:, np.newaxis]).T @ inputs + penalty
        step = np.linalg.solve(curvature + 1e-9 * np.eye(2), gradient)
        # A whole step may overshoot where the curve is flat.
        found -= step / max(1.0, float(np.abs(step).max()))
        if float(np.abs(step).max()) < _SMALLEST_STEP:
            break
    return float(found[0]), float(found[1])
