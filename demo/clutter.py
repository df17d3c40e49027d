"""Things that are not faces, many of them round and dotted as faces are."""

import math
from collections.abc import Callable

import numpy as np

from demo.brush import Brush, RgbImage
from demo.geometry import closed_curve, ellipse, open_curve, ribbon, similarity
from demo.palette import CLOTH_COLOURS, HAIR_COLOURS, HAIR_WEIGHTS, SKIN_TONES, Colour, mix, pick

DARK: Colour = (46, 42, 44)
CREAM: Colour = (244, 240, 230)


def paint_thing(image: RgbImage, rng: np.random.Generator, x: float, y: float, radius_px: float) -> None:
    """Draw one random thing of `radius_px` around (x, y), in place."""
    brush = Brush(image, similarity(radius_px, rng.uniform(-0.2, 0.2), x, y))
    THINGS[int(rng.integers(len(THINGS)))](brush, rng)


def _colour(rng: np.random.Generator) -> Colour:
    return pick(rng, CLOTH_COLOURS)


def _disc(brush: Brush, x: float, y: float, radius: float, colour: Colour) -> None:
    brush.fill(ellipse(x, y, radius, radius), colour)


def _clock(brush: Brush, rng: np.random.Generator) -> None:
    _disc(brush, 0, 0, 1.0, _colour(rng))
    _disc(brush, 0, 0, 0.85, CREAM)
    for hour in np.arange(12) * math.pi / 6:
        _disc(brush, 0.72 * math.cos(hour), 0.72 * math.sin(hour), 0.05, DARK)
    for length in (0.42, 0.64):
        angle = rng.uniform(0, 2 * math.pi)
        brush.stroke(np.array([[0.0, 0.0], [length * math.cos(angle), length * math.sin(angle)]]), DARK, 0.07)


def _cookie(brush: Brush, rng: np.random.Generator) -> None:
    _disc(brush, 0, 0, 1.0, (204, 156, 104))
    for _ in range(9):
        angle, distance = rng.uniform(0, 6.28), rng.uniform(0, 0.8)
        _disc(brush, distance * math.cos(angle), distance * math.sin(angle), rng.uniform(0.07, 0.15), (88, 56, 40))


def _flower(brush: Brush, rng: np.random.Generator) -> None:
    colour = _colour(rng)
    brush.stroke(np.array([[0.0, 0.0], [0.1, 2.0]]), (96, 140, 90), 0.14)
    for angle in np.arange(6) * math.pi / 3:
        _disc(brush, 0.62 * math.cos(angle), 0.62 * math.sin(angle), 0.4, colour)
    _disc(brush, 0, 0, 0.36, (238, 200, 88))


def _button(brush: Brush, rng: np.random.Generator) -> None:
    colour = _colour(rng)
    _disc(brush, 0, 0, 1.0, colour)
    _disc(brush, 0, 0, 0.8, mix(colour, DARK, 0.15))
    for x in (-0.26, 0.26):
        for y in (-0.26, 0.26):
            _disc(brush, x, y, 0.11, DARK)


def _ball(brush: Brush, rng: np.random.Generator) -> None:
    _disc(brush, 0, 0, 1.0, _colour(rng))
    angles = np.linspace(-1.2, 1.2, 9)
    seam = np.stack([0.5 - 0.5 * np.cos(angles), 0.95 * np.sin(angles)], axis=1)
    colour = _colour(rng)
    brush.stroke(seam * [-1, 1] + [0.3, 0], colour, 0.09)
    brush.stroke(seam - [0.3, 0], colour, 0.09)
    brush.fill(ellipse(-0.35, -0.4, 0.2, 0.15, -0.6), CREAM, opacity=0.7)


def _balloon(brush: Brush, rng: np.random.Generator) -> None:
    brush.stroke(open_curve([[0.0, 1.1], [0.15, 1.9], [-0.1, 2.8]]), (150, 146, 144), 0.05)
    colour = _colour(rng)
    brush.fill(closed_curve([[0.0, -1.0], [0.8, -0.5], [0.72, 0.35], [0.0, 1.12], [-0.72, 0.35], [-0.8, -0.5]]), colour)
    brush.fill(ellipse(-0.3, -0.42, 0.16, 0.24, 0.4), CREAM, opacity=0.6)


def _socket(brush: Brush, _rng: np.random.Generator) -> None:
    brush.fill(np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]), CREAM)
    _disc(brush, 0, 0, 0.74, (222, 220, 214))
    for x in (-0.3, 0.3):
        _disc(brush, x, 0, 0.11, DARK)


def _back_of_head(brush: Brush, rng: np.random.Generator) -> None:
    shoulders = closed_curve([[0, 1.3], [0.9, 1.5], [1.5, 2.0], [1.6, 3.6], [-1.6, 3.6], [-1.5, 2.0], [-0.9, 1.5]])
    brush.fill(shoulders, _colour(rng))
    skin = pick(rng, SKIN_TONES)
    brush.fill(np.array([[-0.42, 0.4], [0.42, 0.4], [0.5, 1.5], [-0.5, 1.5]]), mix(skin, DARK, 0.12))
    for side in (-1, 1):
        brush.fill(ellipse(side * 0.84, 0.1, 0.12, 0.2), skin)
    hair = pick(rng, HAIR_COLOURS, HAIR_WEIGHTS)
    brush.fill(ellipse(0, -0.1, 0.86, 0.98), hair)
    for x in (-0.4, 0.0, 0.4):
        brush.stroke(open_curve([[x * 0.6, -0.9], [x * 1.1, -0.2], [x, 0.7]]), mix(hair, DARK, 0.25), 0.05, taper=1.0)


def _egg(brush: Brush, rng: np.random.Generator) -> None:
    brush.fill(ellipse(0, 0, 0.8, 1.0), pick(rng, SKIN_TONES))
    if rng.random() < 0.5:
        _disc(brush, rng.uniform(-0.3, 0.3), rng.uniform(-0.3, 0.3), 0.2, _colour(rng))


def _mug(brush: Brush, rng: np.random.Generator) -> None:
    colour = _colour(rng)
    brush.stroke(ellipse(0.75, 0.05, 0.35, 0.42), colour, 0.16)
    brush.fill(np.array([[-0.75, -0.9], [0.75, -0.9], [0.68, 0.9], [-0.68, 0.9]]), colour)
    brush.fill(ellipse(0, -0.9, 0.75, 0.16), mix(colour, DARK, 0.4))


def _plant(brush: Brush, rng: np.random.Generator) -> None:
    green = mix((86, 140, 92), (130, 166, 92), rng.random())
    for angle in np.linspace(-1.1, 1.1, 7):
        tip = np.array([1.2 * math.sin(angle), 0.3 - 1.5 * math.cos(angle)])
        brush.fill(ribbon(open_curve(np.stack([np.array([0.0, 0.4]), tip * [0.8, 0.5], tip])), 0.34, taper=1.0), green)
    brush.fill(np.array([[-0.5, 0.35], [0.5, 0.35], [0.38, 1.1], [-0.38, 1.1]]), (196, 122, 88))


def _frame(brush: Brush, rng: np.random.Generator) -> None:
    corners = np.array([[-0.8, -1.0], [0.8, -1.0], [0.8, 1.0], [-0.8, 1.0]])
    brush.fill(corners, mix((120, 84, 60), DARK, rng.random()))
    brush.fill(corners * 0.86, CREAM)
    brush.fill(corners * 0.62, _colour(rng))
    brush.fill(ellipse(rng.uniform(-0.2, 0.2), rng.uniform(-0.2, 0.2), 0.24, 0.24), _colour(rng))
    brush.fill(np.array([[-0.49, 0.62], [-0.1, 0.1], [0.15, 0.35], [0.3, 0.2], [0.49, 0.62]]), _colour(rng))


def _wheel(brush: Brush, _rng: np.random.Generator) -> None:
    _disc(brush, 0, 0, 1.0, DARK)
    _disc(brush, 0, 0, 0.68, (196, 196, 200))
    for angle in np.arange(5) * 2 * math.pi / 5:
        _disc(brush, 0.42 * math.cos(angle), 0.42 * math.sin(angle), 0.13, (120, 120, 126))
    _disc(brush, 0, 0, 0.14, DARK)


def _lamp(brush: Brush, rng: np.random.Generator) -> None:
    brush.stroke(np.array([[0.0, 0.3], [0.0, 2.2]]), (110, 96, 88), 0.1)
    brush.glow(ellipse(0, 0, 1.5, 1.3), (255, 236, 190), 0.35, 0.6)
    brush.fill(np.array([[-0.5, -0.7], [0.5, -0.7], [0.9, 0.5], [-0.9, 0.5]]), mix((250, 222, 164), _colour(rng), 0.3))


THINGS: tuple[Callable[[Brush, np.random.Generator], None], ...] = (
    _clock, _cookie, _flower, _button, _ball, _balloon, _socket, _back_of_head, _egg, _mug, _plant, _frame, _wheel,
    _lamp,
)  # fmt: skip
