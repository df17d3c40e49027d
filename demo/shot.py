"""What differs between two pictures of one drawn person."""

from dataclasses import dataclass

import numpy as np

from demo.palette import CLOTH_COLOURS, Colour, Light, pick


@dataclass(frozen=True)
class Shot:
    """Pose, expression, light and clothes of one person in one picture."""

    #: Radians: positive turns to the image's right, looks down, leans clockwise.
    yaw: float
    pitch: float
    roll: float
    #: -1 sad .. 1 broad smile.
    smile: float
    #: 0 closed .. 1 wide open.
    mouth_open: float
    #: 0 open .. 1 closed.
    eyelid: float
    #: Where the iris sits, -1 .. 1 of the room it has.
    gaze_x: float
    gaze_y: float
    brow_raise: float
    cloth: Colour
    light: Light
    light_angle: float
    light_contrast: float


def draw_shot(rng: np.random.Generator, liveliness: float = 1.0) -> Shot:
    """A random shot; `liveliness` below 1 keeps the head closer to frontal."""
    return Shot(
        yaw=float(np.clip(rng.normal(0, 0.27 * liveliness), -0.6, 0.6)),
        pitch=float(np.clip(rng.normal(0, 0.11 * liveliness), -0.26, 0.26)),
        roll=float(np.clip(rng.normal(0, 0.15 * liveliness), -0.45, 0.45)),
        smile=rng.uniform(-0.1, 1.0),
        mouth_open=max(0.0, rng.uniform(-0.9, 1.0)),
        eyelid=rng.uniform(0.0, 0.3) if rng.random() < 0.92 else rng.uniform(0.4, 0.8),
        gaze_x=rng.uniform(-0.6, 0.6),
        gaze_y=rng.uniform(-0.4, 0.4),
        brow_raise=rng.uniform(-0.04, 0.06),
        cloth=pick(rng, CLOTH_COLOURS),
        light=Light(brightness=rng.uniform(0.84, 1.0), warmth=float(np.clip(rng.normal(0.005, 0.02), -0.03, 0.05))),
        light_angle=rng.uniform(0.0, 6.28),
        light_contrast=rng.uniform(0.0, 0.26),
    )
