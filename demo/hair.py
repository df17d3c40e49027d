"""Hair in two layers: what falls behind the shoulders, and what frames the face.

The hairline is a height for every angle around the head, so it turns with the head and meets the silhouette cleanly.
"""

import math
from dataclasses import dataclass

import numpy as np

from demo.fashion import Hairstyle
from demo.geometry import Points, closed_curve, ellipse, open_curve, ribbon
from demo.head import SIDES
from demo.sitting import Sitting

#: Angles around the head, radians, at which hairlines are given; both sides alike.
KNOTS = (0.0, 0.35, 0.7, 1.0, 1.25, 1.45, 1.75, 2.4)


@dataclass(frozen=True)
class Cut:
    """How one hairstyle is built."""

    #: Height of the hairline under `Hair.hairline_y` at each of `KNOTS`.
    hairline: tuple[float, ...]
    #: How far the hair stands off the skull, as a share of `Hair.volume`: at the sides, on top.
    side: float = 0.4
    top: float = 1.0
    #: Waves of the outer edge: depth in head units, count around the head.
    wave: float = 0.012
    waves: int = 9
    #: Whether the hairline is centred on the parting.
    parted: bool = False


_SHORT = (0.0, 0.02, 0.07, 0.2, 0.42, 0.6, 0.62, 0.62)
_SWEPT = (-0.1, 0.0, 0.12, 0.28, 0.46, 0.6, 0.62, 0.62)
_CURTAIN = (-0.16, -0.02, 0.2, 0.52, 0.95, 1.3, 1.5, 1.5)

CUTS: dict[Hairstyle, Cut] = {
    Hairstyle.SHORT: Cut(_SHORT, side=0.25, top=0.7),
    Hairstyle.SIDE_PART: Cut(_SWEPT, side=0.3, top=1.0, parted=True),
    Hairstyle.QUIFF: Cut((-0.08, -0.06, 0.04, 0.2, 0.44, 0.6, 0.62, 0.62), side=0.1, top=1.9, wave=0.03, waves=5),
    Hairstyle.SPIKY: Cut(_SHORT, side=0.3, top=1.3, wave=0.085, waves=19),
    Hairstyle.RECEDING: Cut((-0.08, -0.2, -0.26, 0.02, 0.4, 0.6, 0.62, 0.62), side=0.25, top=0.35),
    Hairstyle.CURLY: Cut((0.0, 0.03, 0.08, 0.2, 0.36, 0.5, 0.6, 0.6), side=1.7, top=1.8, wave=0.05, waves=23),
    Hairstyle.BOB: Cut(_CURTAIN, side=0.8, top=0.9),
    Hairstyle.LONG: Cut(_CURTAIN, side=0.6, top=0.8, parted=True),
    Hairstyle.WAVY: Cut(_CURTAIN, side=1.0, top=1.0, wave=0.03, waves=13, parted=True),
    Hairstyle.FRINGE: Cut((0.22, 0.23, 0.24, 0.3, 0.8, 1.3, 1.5, 1.5), side=0.6, top=0.8),
    Hairstyle.BUN: Cut((-0.08, -0.06, 0.02, 0.16, 0.36, 0.56, 0.62, 0.62), side=0.15, top=0.4),
    Hairstyle.PONYTAIL: Cut(_SWEPT, side=0.3, top=0.7, parted=True),
    Hairstyle.PIGTAILS: Cut((-0.14, 0.0, 0.08, 0.2, 0.42, 0.6, 0.62, 0.62), side=0.25, top=0.6),
}
#: Styles whose hair falls behind the shoulders, and how far: (length, flare at the hem).
FALLS = {
    Hairstyle.BOB: (0.62, 0.14),
    Hairstyle.LONG: (1.35, 0.12),
    Hairstyle.WAVY: (1.2, 0.24),
    Hairstyle.FRINGE: (1.15, 0.14),
}


def paint_back_hair(sitting: Sitting) -> None:
    """What is seen behind the neck: falling hair, curls, a bun, tails."""
    hair = sitting.identity.hair
    if hair.style in FALLS:
        _paint_fall(sitting)
    elif hair.style is Hairstyle.CURLY:
        _paint_curls(sitting)
    elif hair.style is Hairstyle.BUN:
        lean = -0.2 * math.sin(sitting.shot.yaw)
        bun = ellipse(lean, -1.2 - hair.volume * 0.6, 0.27 + hair.volume * 0.4, 0.25 + hair.volume * 0.4)
        sitting.brush.fill(bun, sitting.lit(hair.colour, 0.86))
    elif hair.style is Hairstyle.PONYTAIL:
        _paint_tail(sitting, 1 if hair.part > 0 else -1, top=-0.62)
    elif hair.style is Hairstyle.PIGTAILS:
        for side in SIDES:
            _paint_tail(sitting, side, top=-0.12)


def _paint_fall(sitting: Sitting) -> None:
    identity, hair = sitting.identity, sitting.identity.hair
    length, flare = FALLS[hair.style]
    cut, w = CUTS[hair.style], identity.head.half_width
    wide = w + hair.volume * cut.side + 0.05
    y = np.linspace(-0.75, 0.25 + length * hair.length * 0.75, 9)
    down = np.linspace(0.0, 1.0, 9)
    wobble = cut.wave * 1.6 * np.sin(down * 13.0 + hair.seed % 7)
    right = np.stack([wide * (0.8 + 0.2 * np.sin(np.minimum(down * 4, 1.57))) + flare * down + wobble, y], axis=1)
    left = (right * [-1.0, 1.0] + [0.6 * wobble[0], 0.0])[::-1]
    hem = np.array([[right[-1, 0] * 0.55, y[-1] + 0.1], [0.0, y[-1] + 0.06], [-right[-1, 0] * 0.55, y[-1] + 0.1]])
    outline = closed_curve(np.concatenate([right, hem, left]), steps=4)
    sitting.brush.fill(outline - [0.1 * math.sin(sitting.shot.yaw), 0.0], sitting.lit(hair.colour, 0.74))


def _paint_curls(sitting: Sitting) -> None:
    hair, w = sitting.identity.hair, sitting.identity.head.half_width
    rng = np.random.default_rng(hair.seed)
    size = 0.24 + hair.volume * 0.5
    for angle in np.linspace(-0.35 * math.pi, 1.35 * math.pi, 15):
        x, y = math.cos(angle) * (w + 0.02 + hair.volume), -0.3 - math.sin(angle) * (0.72 + hair.volume)
        shade = 0.86 if rng.random() < 0.5 else 0.94
        curl = ellipse(x - 0.1 * math.sin(sitting.shot.yaw), y, size * rng.uniform(0.85, 1.1), size)
        sitting.brush.fill(curl, sitting.lit(hair.colour, shade))


def _paint_tail(sitting: Sitting, side: int, top: float) -> None:
    hair, w = sitting.identity.hair, sitting.identity.head.half_width
    sway = -0.15 * math.sin(sitting.shot.yaw)
    end = top + 0.75 + 0.65 * hair.length
    spine = open_curve(
        [
            [side * w * 0.8, top],
            [side * (w + 0.26), top + 0.16],
            [side * (w + 0.3), (top + end) / 2],
            [side * (w + 0.16), end],
        ]
    )
    tail = ribbon(spine, 0.36 + hair.volume, taper=0.7)
    sitting.brush.fill(tail + np.array([sway, 0.0]), sitting.lit(hair.colour, 0.88))
    band = ellipse(side * (w + 0.08) + sway, top + 0.02, 0.11, 0.09)
    sitting.brush.fill(band, sitting.lit(sitting.identity.wear.headwear_colour))


def paint_front_hair(sitting: Sitting) -> None:
    """The cap of hair between the hairline and the outer edge, with strands and a gloss."""
    hair = sitting.identity.hair
    if hair.style is Hairstyle.BALD:
        return
    cut = CUTS[hair.style]
    inner, outer = _hairline(sitting, cut), _outer_edge(sitting, cut)
    brush = sitting.brush
    brush.fill(np.concatenate([outer, inner[::-1]]), sitting.lit(hair.colour))
    rng = np.random.default_rng(hair.seed)
    for place in (0.22, 0.36, 0.5, 0.64, 0.78):
        start = outer[int((place + rng.uniform(-0.05, 0.05)) * (len(outer) - 1))]
        end = inner[int(place * (len(inner) - 1))]
        bend = np.array([rng.uniform(-0.06, 0.06), 0.0])
        line = open_curve([start * 0.9 + end * 0.1, start * 0.5 + end * 0.5 + bend, start * 0.12 + end * 0.88], steps=4)
        brush.stroke(line, sitting.lit(hair.colour, 0.84 if place < 0.6 else 1.14), 0.03, taper=1.0)
    share = 0.45
    gloss = (outer * share + _resampled(inner, len(outer)) * (1 - share))[len(outer) // 4 : len(outer) // 2]
    brush.fill(ribbon(gloss, 0.055, taper=1.0), sitting.lit((255, 250, 240)), opacity=0.22)


def _hairline(sitting: Sitting, cut: Cut) -> Points:
    hair, yaw = sitting.identity.hair, sitting.shot.yaw
    seen = np.linspace(-math.pi / 2, math.pi / 2, 31)
    angles = seen - yaw
    centre = hair.part if cut.parted else 0.0
    # A parting moves the middle of the hairline only: at the ears both sides are alike again.
    shifted = np.abs(angles - centre * np.clip(1.0 - np.abs(angles) / 1.4, 0.0, 1.0))
    y = hair.hairline_y + np.interp(shifted, KNOTS, cut.hairline)
    y = np.convolve(np.pad(y, 1, mode="edge"), (0.25, 0.5, 0.25), mode="valid")
    line = sitting.surface.place_angles(angles, y)
    # Hair lies on the skull, a little outside of the skin at the silhouette.
    line[:, 0] *= 1.0 + 0.05 * np.abs(np.sin(seen)) ** 6
    return np.asarray(line)


def _outer_edge(sitting: Sitting, cut: Cut) -> Points:
    hair, w = sitting.identity.hair, sitting.identity.head.half_width
    angles = np.linspace(-math.pi / 2, math.pi / 2, 61)
    phase = (hair.seed % 63) / 10.0
    wave = cut.wave * np.sin(angles * cut.waves + phase) * np.cos(angles * 0.8)
    if hair.style is Hairstyle.SPIKY:
        wave = np.where(np.arange(61) % 6 < 3, 1.0, -1.0) * cut.wave * np.cos(angles)
        wave = np.convolve(np.pad(wave, 1, mode="edge"), (0.3, 0.4, 0.3), mode="valid")
    radius_x = w + 0.03 + hair.volume * cut.side + wave
    radius_y = 0.88 + hair.volume * cut.top + wave
    bulge = 1.0 + 0.06 * np.sin(2 * np.abs(angles)) ** 2
    x = radius_x * np.sin(angles) * bulge
    y = -0.2 - radius_y * np.cos(angles) * bulge
    return np.stack([x - 0.05 * math.sin(sitting.shot.yaw) * np.cos(angles), y], axis=1)


def _resampled(line: Points, count: int) -> Points:
    at = np.linspace(0, len(line) - 1, count)
    known = np.arange(len(line))
    return np.stack([np.interp(at, known, line[:, 0]), np.interp(at, known, line[:, 1])], axis=1)
