"""Faces as arrays: what clustering works on."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

IntArray: TypeAlias = NDArray[np.int64]
FloatArray: TypeAlias = NDArray[np.float32]
BoolArray: TypeAlias = NDArray[np.bool_]

#: How far the length of a template may be from 1.
_NORM_TOLERANCE = 1e-2
#: Label of a face that belongs to no cluster.
NOISE = -1


@dataclass(frozen=True, slots=True)
class FaceSet:
    """N faces of one model version, one row each.

    Raises:
        ValueError: shapes that do not fit, values that are not numbers, templates that are not normalised.
    """

    #: (N, D) float32, L2 norm 1.
    templates: FloatArray
    #: (N,) int64; the same number: the same photo.
    photos: IntArray
    #: (N,) float32, 0-1.
    qualities: FloatArray

    def __post_init__(self) -> None:
        count = len(self.photos)
        if self.templates.ndim != 2 or len(self.templates) != count or self.qualities.shape != (count,):  # noqa: PLR2004
            shapes = f"{self.templates.shape}, {self.photos.shape}, {self.qualities.shape}"
            raise ValueError(f"templates, photos and qualities do not describe the same faces: {shapes}")
        if not np.isfinite(self.qualities).all():
            raise ValueError("a quality is not a number")
        norms = np.sqrt(np.einsum("nd,nd->n", self.templates, self.templates))
        # Written so that NaN is refused as well.
        if not (np.abs(norms - 1.0) <= _NORM_TOLERANCE).all():
            raise ValueError("a template is not a direction: its length is not 1")

    def __len__(self) -> int:
        return len(self.photos)

    def take(self, rows: IntArray) -> "FaceSet":
        """The faces of these rows, in this order."""
        return FaceSet(self.templates[rows], self.photos[rows], self.qualities[rows])


def join_sets(first: FaceSet, second: FaceSet) -> FaceSet:
    """Rows of the first, then rows of the second; both number photos the same way."""
    return FaceSet(
        np.concatenate([first.templates, second.templates]),
        np.concatenate([first.photos, second.photos]),
        np.concatenate([first.qualities, second.qualities]),
    )
