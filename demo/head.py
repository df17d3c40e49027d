"""Neck, clothes, ears and the bare head."""

import math

import numpy as np

from demo.brush import Mask
from demo.geometry import Points, closed_curve, ellipse, mirror, open_curve, ribbon, similarity, transform
from demo.palette import mix
from demo.sitting import Sitting

SIDES = (-1, 1)


def head_outline(sitting: Sitting) -> Points:
    """Outline of the skull and the jaw; the chin swings with the yaw, since it lies in front of the axis."""
    head = sitting.identity.head
    w, lean = head.half_width, math.sin(sitting.shot.yaw)
    jaw_x, chin_x = w * (0.5 + 0.5 * head.jaw), w * head.chin
    right = np.array([
        [w * 0.34, -1.04], [w * 0.74, -0.86], [w * 0.97, -0.45], [w, 0.0], [jaw_x, head.jaw_y - 0.12],
        [w * (0.22 + 0.5 * head.jaw), head.jaw_y + 0.18], [chin_x, head.chin_y - 0.06], [chin_x * 0.5, head.chin_y],
    ])  # fmt: skip
    outline = mirror(right)
    swing = np.clip((outline[:, 1] - 0.1) / 0.9, 0.0, 1.0) * 0.16 * lean
    outline[:, 0] += swing
    outline[:, 1] += math.sin(sitting.shot.pitch) * 0.18 * np.clip(outline[:, 1], -1.0, 1.0)
    return closed_curve(outline)


def _upright(sitting: Sitting) -> Points:
    """The body stays almost upright when the head leans."""
    return similarity(1.0, -0.75 * sitting.shot.roll, 0.0, 0.0)


def paint_figure(sitting: Sitting) -> None:
    """Legs and arms, for photos that show a whole person."""
    upright, brush = _upright(sitting), sitting.brush
    sleeve, trousers = sitting.lit(sitting.shot.cloth, 0.9), mix(sitting.lit(sitting.shot.cloth), (54, 56, 74), 0.8)
    for side in SIDES:
        leg = np.array([[0.02, 3.9], [1.28, 3.9], [0.95, 7.4], [0.3, 7.4]]) * [side, 1.0]
        shoe = ellipse(side * 0.72, 7.42, 0.5, 0.2)
        arm = open_curve(np.array([[1.3, 1.9], [1.74, 2.9], [1.72, 3.9]]) * [side, 1.0], steps=3)
        hand = ellipse(side * 1.72, 4.05, 0.25, 0.28)
        brush.fill(transform(upright, leg), trousers)
        brush.fill(transform(upright, shoe), sitting.lit((70, 58, 56)))
        brush.fill(transform(upright, hand), sitting.lit(sitting.identity.skin, 0.95))
        brush.fill(transform(upright, ribbon(arm, 0.5)), sleeve)
    paint_body(sitting)


def paint_body(sitting: Sitting) -> None:
    """Shoulders in this shot's clothes, and the neck."""
    w, brush = sitting.identity.head.half_width, sitting.brush
    upright = _upright(sitting)
    cloth = sitting.lit(sitting.shot.cloth)
    skin = sitting.lit(sitting.identity.skin, 0.86)
    shoulders = mirror(
        [[0.0, 1.24], [0.42, 1.24], [1.0, 1.42], [1.42, 1.72], [1.5, 2.4], [1.36, 3.6], [1.38, 4.3], [0.0, 4.35]]
    )
    neck = mirror([[0.0, 0.5], [w * 0.56, 0.5], [w * 0.53, 1.0], [w * 0.66, 1.3], [w * 0.34, 1.5], [0.0, 1.56]])
    collar = mirror([[0.0, 1.62], [w * 0.42, 1.55], [w * 0.78, 1.29], [w * 0.9, 1.26], [w * 0.5, 1.62], [0.0, 1.72]])
    brush.fill(transform(upright, closed_curve(shoulders)), cloth)
    brush.fill(transform(upright, closed_curve(neck)), skin)
    brush.fill(transform(upright, collar), sitting.lit(sitting.shot.cloth, 0.86))


def paint_ears(sitting: Sitting) -> None:
    """Ears slide with the yaw: the one that turns away hides behind the head."""
    identity, brush, yaw = sitting.identity, sitting.brush, sitting.shot.yaw
    w, ear = identity.head.half_width, identity.head.ear
    y = identity.eyes.y + 0.16
    for side in SIDES:
        hidden = max(0.0, side * yaw)
        x = side * (w * 0.99 - hidden * 0.18) - 0.10 * math.sin(yaw)
        width = ear * 0.6 * (1.0 + 0.5 * max(0.0, -side * yaw))
        brush.fill(ellipse(x, y, width, ear, side * 0.15), sitting.lit(identity.skin, 0.97))
        brush.fill(ellipse(x, y + 0.01, width * 0.55, ear * 0.6, side * 0.15), sitting.lit(identity.skin, 0.82))
        if identity.wear.earring_colour is not None:
            brush.fill(ellipse(x, y + ear * 1.15, 0.045, 0.055), sitting.lit(identity.wear.earring_colour))


def paint_head(sitting: Sitting, outline: Points) -> Mask:
    """The bare head with its shadow on the neck; returns the mask of its skin."""
    identity, brush = sitting.identity, sitting.brush
    brush.fill(outline * [0.72, 0.9] + [0.0, 0.2], sitting.lit(identity.skin, 0.74), opacity=0.45)
    brush.fill(outline, sitting.lit(identity.skin))
    skin_mask = brush.mask_of(outline)
    if identity.marks.blush:
        rosy = mix(sitting.lit(identity.skin), sitting.lit((232, 96, 88)), 0.6)
        for side in SIDES:
            cheek = ellipse(side * (identity.eyes.x + 0.09), identity.eyes.y + 0.34, 0.17, 0.11)
            brush.glow(sitting.on_face(cheek), rosy, identity.marks.blush, 0.1, skin_mask)
    return skin_mask
