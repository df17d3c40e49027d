"""Faces in ArcFace's canonical pose."""

import numpy as np
import numpy.typing as npt

from demo.geometry import Points

#: Side of an aligned face, pixels.
FACE_SIDE_PX = 112
#: ArcFace's canonical landmarks in it, pixels (Deng et al., 2019).
CANONICAL_LANDMARKS = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


def fit_similarity(landmarks: npt.ArrayLike, wanted: Points) -> Points:
    """The (2, 3) similarity that moves (5, 2) landmarks closest to the wanted ones (least squares; Umeyama, 1991)."""
    source = np.asarray(landmarks, np.float64)
    a, b = source - source.mean(axis=0), wanted - wanted.mean(axis=0)
    power = (a**2).sum()
    cos = (a * b).sum() / power
    sin = (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum() / power
    turn = np.array([[cos, -sin], [sin, cos]])
    shift = wanted.mean(axis=0) - turn @ source.mean(axis=0)
    return np.concatenate([turn, shift[:, None]], axis=1)
