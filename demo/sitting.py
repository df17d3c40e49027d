"""One person being drawn: the identity, the shot, and where the head's surface lands in the image."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from demo.brush import Brush
from demo.geometry import Points
from demo.identity import Identity
from demo.palette import Colour
from demo.shot import Shot


@dataclass(frozen=True)
class HeadSurface:
    """The front of the head, an upright barrel that can turn and nod.

    Features are given as if seen from the front; `place` says where they are seen in this pose.
    """

    half_width: float
    yaw: float
    pitch: float

    def place(self, points: npt.ArrayLike, lift: float = 0.0) -> Points:
        """Where (N, 2) frontal points are seen, `lift` head units above the skin."""
        frontal = np.asarray(points, dtype=np.float64)
        angles = np.arcsin(np.clip(frontal[:, 0] / self.half_width, -1.0, 1.0))
        return self.place_angles(angles, frontal[:, 1], lift)

    def place_angles(self, angles: Points, y: Points, lift: float = 0.0) -> Points:
        """The same for points given by their angle from the middle of the face, radians."""
        turned = np.clip(angles + self.yaw, -math.pi / 2, math.pi / 2)
        depth = np.cos(turned) * 0.75 + lift
        x_seen = self.half_width * np.sin(turned) + lift * math.sin(self.yaw)
        y_seen = y * math.cos(self.pitch) + (depth - 0.45) * math.sin(self.pitch)
        return np.column_stack([x_seen, y_seen])


@dataclass(frozen=True)
class Sitting:
    """Everything a feature needs to draw itself."""

    identity: Identity
    shot: Shot
    brush: Brush
    surface: HeadSurface

    def lit(self, colour: Colour, shade: float = 1.0) -> Colour:
        """`colour` in the light of this shot."""
        return self.shot.light.tint(colour, shade)

    def on_face(self, points: npt.ArrayLike, lift: float = 0.0) -> Points:
        """Frontal points as seen in this pose."""
        return self.surface.place(points, lift)
