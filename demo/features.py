"""Eyes, brows, nose and mouth, and the five landmarks that they carry."""

import math

import numpy as np

from demo.geometry import Points, ellipse, open_curve, ribbon
from demo.head import SIDES
from demo.palette import mix
from demo.sitting import Sitting

#: How far the tip of the nose and the lips stand out of the face, head units.
NOSE_LIFT = 0.16
LIP_LIFT = 0.03


def paint_eyes(sitting: Sitting) -> Points:
    """Draw both eyes; returns their centres (2, 2), left then right in the image."""
    eyes = sitting.identity.eyes
    centres = []
    for side in SIDES:
        _paint_eye(sitting, side)
        _paint_brow(sitting, side)
        centres.append([side * eyes.x, eyes.y])
    return sitting.on_face(centres)


def _paint_eye(sitting: Sitting, side: int) -> None:
    eyes, shot, brush = sitting.identity.eyes, sitting.shot, sitting.brush
    half_height = eyes.half_width * eyes.roundness * max(0.14, 1.0 - shot.eyelid)
    tilt = -side * eyes.tilt
    x, y = side * eyes.x, eyes.y
    socket = ellipse(x, y - 0.012, eyes.half_width * 1.2, max(half_height, eyes.half_width * 0.5) * 1.24, tilt)
    opening = ellipse(x, y, eyes.half_width, half_height, tilt)
    brush.fill(sitting.on_face(socket), sitting.lit(sitting.identity.skin, 0.86))
    brush.fill(sitting.on_face(opening), sitting.lit((250, 249, 246)))
    radius = eyes.half_width * eyes.iris
    iris_x = x + shot.gaze_x * (eyes.half_width - radius) * 0.8
    iris_y = y + shot.gaze_y * eyes.half_width * 0.15
    rings = ((1.0, eyes.iris_colour), (0.54, (20, 18, 20)))
    for share, colour in rings:
        disc = ellipse(iris_x, iris_y, radius * share, radius * share)
        brush.fill(sitting.on_face(_within(disc, (x, y), (eyes.half_width, half_height), tilt)), sitting.lit(colour))
    glint = ellipse(iris_x + radius * 0.3, iris_y - radius * 0.32, radius * 0.24, radius * 0.24)
    brush.fill(
        sitting.on_face(_within(glint, (x, y), (eyes.half_width, half_height), tilt)), sitting.lit((255, 255, 255))
    )
    lash = np.concatenate([opening[12:], opening[:1]])
    brush.stroke(sitting.on_face(lash), sitting.lit((44, 32, 32)), eyes.lash)


def _within(points: Points, centre: tuple[float, float], radii: tuple[float, float], tilt: float) -> Points:
    """Press points into the eye's opening: the lids cover what lies above and below it."""
    cos, sin = math.cos(tilt), math.sin(tilt)
    x, y = points[:, 0] - centre[0], points[:, 1] - centre[1]
    along, across = x * cos + y * sin, y * cos - x * sin
    limit = radii[1] * np.sqrt(np.clip(1.0 - (along / radii[0]) ** 2, 0.0, 1.0))
    across = np.clip(across, -limit, limit)
    return np.stack([centre[0] + along * cos - across * sin, centre[1] + along * sin + across * cos], axis=1)


def _paint_brow(sitting: Sitting, side: int) -> None:
    eyes = sitting.identity.eyes
    along = np.linspace(-1.0, 1.0, 7)
    length = eyes.half_width * eyes.brow_length
    height = eyes.y - eyes.half_width * max(eyes.roundness, 0.6) - eyes.brow_gap - sitting.shot.brow_raise
    y = height - eyes.brow_arch * (1.0 - along**2) + along * side * eyes.brow_tilt * length * 0.5
    line = np.stack([side * eyes.x + along * length, y], axis=1)
    brow = ribbon(line, eyes.brow_thickness, taper=0.6)
    sitting.brush.fill(sitting.on_face(brow), sitting.lit(eyes.brow_colour))


def paint_nose(sitting: Sitting) -> Points:
    """Draw the nose: a ridge, a ball with a highlight, two nostrils; returns its tip (1, 2)."""
    identity, brush, shot = sitting.identity, sitting.brush, sitting.shot
    nose, skin = identity.nose, identity.skin
    tip_y, half = identity.eyes.y + nose.length, nose.half_width
    flush = mix(sitting.lit(skin, 0.86), sitting.lit((214, 96, 84)), 0.12 + 0.22 * nose.rosiness)
    side = -1 if shot.yaw > 0 else 1
    ridge = open_curve([[side * 0.07, identity.eyes.y + 0.02], [side * 0.05, tip_y - 0.16], [side * half * 0.8, tip_y]])
    brush.stroke(sitting.on_face(ridge, NOSE_LIFT * 0.5), sitting.lit(skin, 0.8), 0.035, taper=0.7)
    height = (0.1, 0.09, 0.115)[nose.shape]
    width = half * (0.95, 1.1, 0.82)[nose.shape]
    for wing in SIDES:
        brush.fill(
            sitting.on_face(ellipse(wing * width * 0.72, tip_y + 0.022, width * 0.42, height * 0.62), NOSE_LIFT - 0.05),
            flush,
        )
    brush.fill(sitting.on_face(ellipse(0.0, tip_y, width * 0.78, height), NOSE_LIFT), flush)
    for wing in SIDES:
        nostril = ellipse(wing * width * 0.5, tip_y + height * 0.72, width * 0.24, 0.026, wing * 0.3)
        brush.fill(sitting.on_face(nostril, NOSE_LIFT - 0.03), sitting.lit(skin, 0.38))
    highlight = ellipse(0.0, tip_y - height * 0.3, width * 0.34, height * 0.36)
    brush.fill(sitting.on_face(highlight, NOSE_LIFT), mix(sitting.lit(skin), sitting.lit((255, 250, 240)), 0.6))
    return sitting.on_face([[0.0, tip_y]], NOSE_LIFT)


def paint_mouth(sitting: Sitting) -> Points:
    """Draw the mouth; returns its corners (2, 2), left then right in the image."""
    mouth, shot, brush = sitting.identity.mouth, sitting.shot, sitting.brush
    corner_y = mouth.y - 0.07 * shot.smile
    half = mouth.half_width * (1.0 + 0.14 * max(shot.smile, 0.0))
    gap = 0.18 * shot.mouth_open
    along = np.linspace(-1.0, 1.0, 13)
    bow = 1.0 - along**2

    def lip_line(drop: float) -> Points:
        y = corner_y + (0.08 * shot.smile + drop) * bow
        return sitting.on_face(np.stack([along * half, y], axis=1), LIP_LIFT)

    lips = np.concatenate([lip_line(-0.25 * gap - mouth.upper_lip), lip_line(0.8 * gap + mouth.lower_lip)[::-1]])
    brush.fill(lips, sitting.lit(mouth.lip_colour))
    dark = sitting.lit(mix(mouth.lip_colour, (60, 16, 22), 0.72))
    if gap > 0.015:
        brush.fill(np.concatenate([lip_line(-0.25 * gap), lip_line(0.8 * gap)[::-1]]), dark)
    if gap > 0.045:
        teeth = np.concatenate([lip_line(-0.25 * gap), lip_line(0.15 * gap)[::-1]])
        brush.fill(teeth, sitting.lit((248, 246, 240)))
    if gap <= 0.015:
        brush.stroke(lip_line(0.0), dark, 0.026)
    corners = np.array([[-half, corner_y], [half, corner_y]])
    for x, y in corners:
        # The corner is where the eye (and the detector) reads the mouth's width: it is always marked.
        brush.fill(sitting.on_face(ellipse(x, y, 0.036, 0.032), LIP_LIFT), dark)
    return sitting.on_face(corners, LIP_LIFT)
