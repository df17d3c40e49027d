"""What is added to a face: beard, marks of the skin, glasses, headwear."""

import math

import numpy as np

from demo.brush import Mask
from demo.fashion import Beard, Glasses, Headwear
from demo.geometry import Points, closed_curve, ellipse, open_curve, ribbon
from demo.head import SIDES
from demo.palette import mix
from demo.sitting import Sitting

#: How far the rims stand off the face, head units.
RIM_LIFT = 0.06


def paint_beard(sitting: Sitting, skin_mask: Mask) -> None:
    """The beard, under the mouth and the nose that are drawn later."""
    identity, brush = sitting.identity, sitting.brush
    colour = sitting.lit(identity.beard_colour)
    y = identity.mouth.y
    if identity.beard is Beard.STUBBLE:
        brush.glow(_beard_outline(sitting), mix(colour, (70, 60, 60), 0.4), 0.42, 0.14, skin_mask)
    if identity.beard is Beard.FULL:
        brush.glow(_beard_outline(sitting), colour, 0.95, 0.05)
    if identity.beard in (Beard.FULL, Beard.MOUSTACHE):
        wide = identity.mouth.half_width * 1.1
        right = [
            [0.0, y - 0.16],
            [wide * 0.6, y - 0.14],
            [wide, y - 0.02],
            [wide * 1.05, y + 0.06],
            [wide * 0.5, y - 0.04],
            [0.0, y - 0.06],
        ]
        for side in SIDES:
            brush.fill(sitting.on_face(closed_curve(np.array(right) * [side, 1.0]), 0.03), colour)
    if identity.beard is Beard.GOATEE:
        chin = identity.head.chin_y
        goatee = closed_curve(
            [[-0.17, y + 0.1], [0.17, y + 0.1], [0.18, chin - 0.12], [0.0, chin + 0.03], [-0.18, chin - 0.12]]
        )
        brush.fill(sitting.on_face(goatee, 0.04), colour)


def _beard_outline(sitting: Sitting) -> Points:
    head, y = sitting.identity.head, sitting.identity.mouth.y
    seen = np.linspace(-math.pi / 2, math.pi / 2, 21)
    angles = seen - sitting.shot.yaw
    heights = np.interp(
        np.abs(angles), (0.0, 0.35, 0.8, 1.2, 1.5, 2.2), (y - 0.14, y - 0.13, y - 0.06, 0.28, 0.12, 0.1)
    )
    upper = sitting.surface.place_angles(angles, heights)
    lean = 0.16 * math.sin(sitting.shot.yaw)
    lower_x = np.array([1.0, 0.52 + 0.5 * head.jaw, 0.24 + 0.5 * head.jaw, head.chin, 0.0]) * head.half_width
    lower_y = np.array([0.3, head.jaw_y - 0.1, head.jaw_y + 0.2, head.chin_y + 0.04, head.chin_y + 0.09])
    swing = np.clip((lower_y - 0.1) / 0.9, 0.0, 1.0) * lean
    right = np.stack([lower_x + swing, lower_y], axis=1)
    left = np.stack([swing - lower_x, lower_y], axis=1)[:-1]
    return np.concatenate([upper, right, left[::-1]])


def paint_marks(sitting: Sitting) -> None:
    """Freckles, a mole, lines on the forehead."""
    marks, brush, skin = sitting.identity.marks, sitting.brush, sitting.identity.skin
    rng = np.random.default_rng(marks.seed)
    for _ in range(marks.freckles):
        x, y = rng.normal(0.0, 0.3), rng.normal(0.24, 0.1)
        if abs(x) < 0.6:
            brush.fill(sitting.on_face(ellipse(x, y, 0.02, 0.02)), sitting.lit(skin, 0.76))
    if marks.mole is not None:
        brush.fill(sitting.on_face(ellipse(*marks.mole, 0.03, 0.03)), sitting.lit((64, 40, 34)))
    if marks.wrinkles:
        for y in (-0.42, -0.5):
            line = open_curve([[-0.24, y], [0.0, y - 0.02], [0.24, y]])
            brush.stroke(sitting.on_face(line), sitting.lit(skin, 0.86), 0.018, taper=1.0)


def paint_glasses(sitting: Sitting) -> None:
    """Two rims, a bridge and the arms to the ears."""
    identity, brush = sitting.identity, sitting.brush
    wear, eyes = identity.wear, identity.eyes
    if wear.glasses is Glasses.NONE:
        return
    colour, size = sitting.lit(wear.glasses_colour), min(wear.glasses_size, eyes.x - 0.06)
    for side in SIDES:
        rim = _rim(wear.glasses, side) * size + [side * eyes.x, eyes.y + 0.01]
        closed = np.concatenate([rim, rim[:2]])
        brush.fill(sitting.on_face(rim, RIM_LIFT), sitting.lit((235, 245, 255)), opacity=0.12)
        brush.stroke(sitting.on_face(closed, RIM_LIFT), colour, wear.rim)
        hinge = sitting.on_face([[side * (eyes.x + size), eyes.y - 0.02]], RIM_LIFT)
        ear = sitting.surface.place_angles(np.array([side * 1.5]), np.array([eyes.y + 0.02]))
        brush.stroke(np.concatenate([hinge, ear]), colour, wear.rim * 0.9)
    bridge = open_curve([[size - eyes.x, eyes.y - 0.02], [0.0, eyes.y - 0.06], [eyes.x - size, eyes.y - 0.02]])
    brush.stroke(sitting.on_face(bridge, RIM_LIFT + 0.02), colour, wear.rim)


def _rim(glasses: Glasses, side: int) -> Points:
    if glasses is Glasses.ROUND:
        return ellipse(0.0, 0.0, 1.0, 1.0)
    if glasses is Glasses.OVAL:
        return ellipse(0.0, 0.0, 1.08, 0.74)
    corners = [[-1.0, -0.7], [1.0, -0.7], [0.92, 0.72], [-0.92, 0.72]]
    if glasses is Glasses.CAT_EYE:
        corners = [[-0.95 * side, -0.5], [1.25 * side, -0.85], [0.8 * side, 0.7], [-0.75 * side, 0.65]]
    edges = np.array(corners)
    # Corners cut at a fifth of each edge: round enough for a rim.
    following = np.roll(edges, -1, axis=0)
    return np.stack([edges * 0.8 + following * 0.2, edges * 0.2 + following * 0.8], axis=1).reshape(-1, 2)


def paint_headwear(sitting: Sitting) -> None:
    """A beanie, a cap or a headband over the hair."""
    wear, w, brush = sitting.identity.wear, sitting.identity.head.half_width, sitting.brush
    colour, dark = sitting.lit(wear.headwear_colour), sitting.lit(wear.headwear_colour, 0.76)
    half = w + 0.07 + sitting.identity.hair.volume * 0.25
    angles = np.linspace(-math.pi / 2, math.pi / 2, 21)
    if wear.headwear is Headwear.HEADBAND:
        band = np.stack([half * np.sin(angles), -0.5 - 0.26 * np.cos(angles)], axis=1)
        brush.stroke(band, colour, 0.17)
    if wear.headwear is Headwear.BEANIE:
        dome = np.stack([half * np.sin(angles), -0.5 - 0.82 * np.cos(angles) ** 0.8], axis=1)
        brush.fill(dome, colour)
        brush.fill(ellipse(0.0, -1.34, 0.15, 0.14), dark)
        brush.stroke(np.stack([half * np.sin(angles), -0.5 - 0.13 * np.cos(angles)], axis=1), dark, 0.24)
    if wear.headwear is Headwear.CAP:
        dome = np.stack([half * np.sin(angles), -0.5 - 0.72 * np.cos(angles) ** 0.8], axis=1)
        brush.fill(dome, colour)
        peak_x = 0.42 * math.sin(sitting.shot.yaw)
        peak = np.stack([peak_x + half * 0.86 * np.sin(angles), -0.58 - 0.12 * np.cos(angles)], axis=1)
        brush.fill(ribbon(peak, 0.22, taper=0.5), dark)
