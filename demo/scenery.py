"""Places where drawn people are photographed."""

import math
from collections.abc import Callable

import cv2
import numpy as np

from demo.brush import Brush, RgbImage
from demo.clutter import paint_thing
from demo.geometry import Points, ellipse, similarity
from demo.palette import CLOTH_COLOURS, Colour, Light, mix, pick

WALLS: tuple[Colour, ...] = (
    (226, 214, 198), (198, 212, 214), (214, 202, 210), (206, 214, 192), (232, 222, 206), (176, 192, 204),
    (216, 190, 172),
)  # fmt: skip
CREAM_TRIM: Colour = (240, 236, 228)
FLOORS: tuple[Colour, ...] = ((166, 128, 96), (140, 110, 90), (188, 162, 134), (130, 130, 134))
SKIES: tuple[tuple[Colour, Colour], ...] = (
    ((136, 186, 222), (214, 230, 236)), ((108, 150, 200), (236, 214, 200)), ((92, 102, 150), (240, 178, 146)),
    ((170, 192, 206), (222, 226, 226)),
)  # fmt: skip


def paint_scene(rng: np.random.Generator, height: int, width: int) -> RgbImage:
    """A random place with things in it, (H, W, 3) uint8 RGB."""
    image = np.empty((height, width, 3), np.uint8)
    # One unit is the height of the image, (0, 0) its upper left corner.
    brush = Brush(image, similarity(float(height), 0.0, 0.0, 0.0))
    SCENES[int(rng.integers(len(SCENES)))](brush, rng, width / height)
    for _ in range(int(rng.integers(0, 7))):
        radius_px = math.exp(rng.uniform(math.log(0.015), math.log(0.13))) * height
        paint_thing(image, rng, rng.uniform(0, width), rng.uniform(0, height), radius_px)
    return image


def _gradient(brush: Brush, top: Colour, bottom: Colour, end: float = 1.0) -> None:
    height, width = brush.image.shape[:2]
    share = np.clip(np.arange(height) / (height * end), 0, 1)[:, None]
    rows = np.array(top) * (1 - share) + np.array(bottom) * share
    # Many times faster than a broadcast of three bytes.
    brush.image[:] = cv2.resize(rows.astype(np.uint8)[:, None], (width, height), interpolation=cv2.INTER_NEAREST)


def _band(top: float, bottom: float, wide: float, left: float = 0.0) -> Points:
    return np.array([[left, top], [left + wide, top], [left + wide, bottom], [left, bottom]])


def _meadow(brush: Brush, rng: np.random.Generator, wide: float) -> None:
    _gradient(brush, *SKIES[int(rng.integers(len(SKIES)))], end=0.7)
    brush.fill(ellipse(rng.uniform(0, wide), rng.uniform(0.05, 0.3), 0.06, 0.06), (252, 240, 208))
    for _ in range(int(rng.integers(1, 5))):
        x, y = rng.uniform(0, wide), rng.uniform(0.05, 0.35)
        for offset in (-0.07, 0.0, 0.07):
            brush.fill(ellipse(x + offset, y, 0.07, 0.035), (246, 248, 248), opacity=0.7)
    green = mix((112, 160, 104), (160, 170, 100), rng.random())
    for level, shade in ((0.55, 1.08), (0.66, 0.96), (0.8, 0.84)):
        along = np.linspace(-0.1, wide + 0.1, 9)
        hill = np.stack([along, level + 0.05 * np.sin(along * rng.uniform(2, 6) + rng.uniform(0, 6))], axis=1)
        brush.fill(np.concatenate([hill, [[wide + 0.1, 1.0], [-0.1, 1.0]]]), Light(shade, 0.0).tint(green))
    for _ in range(int(rng.integers(0, 7))):
        _tree(brush, rng, rng.uniform(0, wide), rng.uniform(0.55, 0.85))


def _tree(brush: Brush, rng: np.random.Generator, x: float, y: float) -> None:
    size = rng.uniform(0.04, 0.12)
    brush.fill(np.array([[-0.2, 0], [0.2, 0], [0.2, 1.6], [-0.2, 1.6]]) * size + [x, y], (120, 90, 68))
    leaves = mix((84, 134, 92), (120, 150, 84), rng.random())
    for _ in range(5):
        brush.fill(
            ellipse(x + rng.normal(0, 0.5) * size, y - rng.uniform(0, 1.2) * size, size * 0.8, size * 0.75), leaves
        )


def _room(brush: Brush, rng: np.random.Generator, wide: float) -> None:
    wall = pick(rng, WALLS)
    _gradient(brush, wall, Light(0.92, 0.0).tint(wall))
    pattern, stripe = rng.random(), mix(wall, (255, 252, 246), 0.3)
    if pattern < 0.3:
        step = rng.uniform(0.05, 0.14)
        for left in np.arange(0, wide, step):
            brush.fill(_band(0.0, 1.0, step * 0.5, left), stripe)
    elif pattern < 0.5:
        for x in np.arange(0.03, wide, 0.12):
            for y in np.arange(0.03, 0.8, 0.12):
                brush.fill(ellipse(x, y, 0.012, 0.012), stripe)
    floor_top = rng.uniform(0.7, 0.9)
    brush.fill(_band(floor_top, 1.0, wide), pick(rng, FLOORS))
    brush.fill(_band(floor_top - 0.02, floor_top, wide), CREAM_TRIM)
    if rng.random() < 0.6:
        _window(brush, rng, rng.uniform(0.1, max(0.11, wide - 0.4)))


def _window(brush: Brush, rng: np.random.Generator, left: float) -> None:
    sky = SKIES[int(rng.integers(len(SKIES)))][0]
    brush.fill(_band(0.08, 0.46, 0.34, left - 0.02), CREAM_TRIM)
    brush.fill(_band(0.1, 0.44, 0.3, left), sky)
    brush.stroke(np.array([[left + 0.15, 0.1], [left + 0.15, 0.44]]), CREAM_TRIM, 0.015)
    brush.stroke(np.array([[left, 0.27], [left + 0.3, 0.27]]), CREAM_TRIM, 0.015)


def _beach(brush: Brush, rng: np.random.Generator, wide: float) -> None:
    _gradient(brush, *SKIES[int(rng.integers(len(SKIES)))], end=0.5)
    brush.fill(_band(0.48, 0.7, wide), mix((86, 156, 176), (70, 120, 160), rng.random()))
    x = np.linspace(0, wide, 13)
    shore = np.stack([x, 0.66 + 0.015 * np.sin(x * 9 + rng.uniform(0, 6))], axis=1)
    brush.fill(np.concatenate([shore, [[wide, 1.0], [0.0, 1.0]]]), mix((232, 208, 164), (214, 190, 150), rng.random()))
    for _ in range(int(rng.integers(0, 4))):
        _parasol(brush, rng, rng.uniform(0, wide), rng.uniform(0.55, 0.8))


def _parasol(brush: Brush, rng: np.random.Generator, x: float, y: float) -> None:
    angles = np.linspace(math.pi, 2 * math.pi, 13)
    brush.stroke(np.array([[x, y - 0.1], [x, y + 0.16]]), (236, 232, 224), 0.01)
    for share, colour in ((1.0, pick(rng, CLOTH_COLOURS)), (0.4, (246, 242, 232))):
        canopy = np.stack([x + 0.12 * share * np.cos(angles), y + 0.1 * np.sin(angles)], axis=1)
        brush.fill(canopy, colour)


def _city(brush: Brush, rng: np.random.Generator, wide: float) -> None:
    _gradient(brush, *SKIES[int(rng.integers(len(SKIES)))], end=0.9)
    left = -0.05
    while left < wide:
        across, top = rng.uniform(0.12, 0.28), rng.uniform(0.12, 0.6)
        wall = mix(pick(rng, WALLS), (120, 116, 128), rng.uniform(0.2, 0.7))
        brush.fill(_band(top, 0.86, across, left), wall)
        pane = mix(wall, ((250, 236, 190), (80, 90, 110))[int(rng.integers(2))], 0.6)
        for x in np.arange(left + 0.025, left + across - 0.02, 0.05):
            for y in np.arange(top + 0.03, 0.8, 0.07):
                brush.fill(_band(y, y + 0.035, 0.025, x), pane)
        left += across + rng.uniform(0.0, 0.04)
    brush.fill(_band(0.84, 1.0, wide), (128, 126, 130))


def _party(brush: Brush, rng: np.random.Generator, wide: float) -> None:
    dusk = mix((58, 52, 84), (92, 62, 74), rng.random())
    _gradient(brush, dusk, mix(dusk, (180, 120, 100), 0.4))
    for _ in range(int(rng.integers(15, 40))):
        radius = rng.uniform(0.008, 0.05)
        glow = mix((255, 226, 170), pick(rng, CLOTH_COLOURS), rng.uniform(0, 0.6))
        brush.fill(
            ellipse(rng.uniform(0, wide), rng.uniform(0, 0.9), radius, radius), glow, opacity=rng.uniform(0.2, 0.6)
        )


def _studio(brush: Brush, rng: np.random.Generator, _wide: float) -> None:
    backdrop = pick(rng, WALLS + CLOTH_COLOURS)
    _gradient(brush, Light(1.06, 0.0).tint(backdrop), Light(0.82, 0.0).tint(backdrop))
    coarse = rng.normal(0, rng.uniform(2, 16), (int(rng.integers(3, 12)), int(rng.integers(4, 16)))).astype(np.float32)
    height, width = brush.image.shape[:2]
    cloud = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    cv2.add(brush.image, cv2.merge([cloud] * 3), dst=brush.image, dtype=cv2.CV_8U)


def _bushes(brush: Brush, rng: np.random.Generator, wide: float) -> None:
    ground = mix((84, 116, 84), (120, 128, 84), rng.random())
    _gradient(brush, mix(ground, (220, 230, 220), 0.4), ground)
    for level in np.linspace(0.1, 1.0, 12):
        for _ in range(5):
            leaf = mix(ground, (40, 70, 50) if rng.random() < 0.5 else (190, 200, 120), rng.uniform(0, 0.4))
            x, size, tilt = rng.uniform(0, wide), rng.uniform(0.03, 0.08), rng.uniform(-1.2, 1.2)
            brush.fill(ellipse(x, float(level), size, size * 0.45, tilt), leaf)


SCENES: tuple[Callable[[Brush, np.random.Generator, float], None], ...] = (
    _meadow, _room, _room, _beach, _city, _party, _studio, _studio, _bushes,
)  # fmt: skip
