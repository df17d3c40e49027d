"""Colours, RGB 0-255, and how light changes them."""

from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]

SKIN_TONES: tuple[Colour, ...] = (
    (244, 208, 180), (240, 198, 166), (236, 188, 152), (232, 180, 142), (220, 164, 124), (206, 147, 106),
    (188, 127, 88), (166, 108, 74), (144, 91, 62), (124, 78, 55), (106, 67, 50),
)  # fmt: skip
HAIR_COLOURS: tuple[Colour, ...] = (
    (34, 30, 32), (58, 42, 36), (84, 56, 40), (116, 76, 48), (148, 98, 58), (168, 84, 46), (198, 102, 52),
    (214, 166, 92), (238, 206, 138), (152, 150, 154), (222, 220, 218), (206, 92, 128), (84, 124, 184),
    (92, 152, 128), (132, 98, 168), (150, 48, 56),
)  # fmt: skip
HAIR_WEIGHTS = (12, 12, 10, 10, 7, 6, 6, 8, 7, 6, 5, 3, 3, 2, 3, 3)
EYE_COLOURS: tuple[Colour, ...] = (
    (74, 46, 30), (116, 76, 40), (64, 108, 160), (98, 150, 190), (74, 130, 86), (112, 122, 70), (116, 122, 130),
)  # fmt: skip
WEAR_COLOURS: tuple[Colour, ...] = (
    (40, 40, 46), (150, 60, 56), (52, 84, 140), (196, 148, 72), (74, 128, 104), (232, 230, 224), (126, 86, 146),
    (222, 120, 96),
)  # fmt: skip
CLOTH_COLOURS: tuple[Colour, ...] = (
    (66, 92, 138), (188, 84, 78), (226, 178, 92), (96, 142, 118), (238, 234, 226), (58, 60, 72), (142, 108, 156),
    (222, 146, 128), (120, 168, 190), (160, 176, 112), (92, 70, 64), (200, 200, 206),
)  # fmt: skip


@dataclass(frozen=True)
class Light:
    """The colour of the light in one shot: only brighter or darker, warmer or cooler, never green."""

    #: Factor on every channel.
    brightness: float
    #: Added to red's factor and taken from blue's.
    warmth: float

    def tint(self, colour: Colour, shade: float = 1.0) -> Colour:
        """`colour` under this light, darkened (`shade` < 1) or lightened (> 1)."""
        factor = self.brightness * shade
        red, green, blue = colour
        return _clip((red * factor * (1.0 + self.warmth), green * factor, blue * factor * (1.0 - self.warmth)))


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of `second` in `first`."""
    return _clip(tuple(a + (b - a) * share for a, b in zip(first, second, strict=True)))


def pick(rng: np.random.Generator, colours: tuple[Colour, ...], weights: tuple[int, ...] | None = None) -> Colour:
    """One of `colours`, a little lighter or darker, warmer or cooler."""
    chances = None if weights is None else np.array(weights, float) / sum(weights)
    colour = colours[int(rng.choice(len(colours), p=chances))]
    return Light(brightness=1.0 + float(rng.normal(0, 0.035)), warmth=float(rng.normal(0, 0.018))).tint(colour)


def _clip(channels: tuple[float, ...]) -> Colour:
    red, green, blue = (min(255.0, max(0.0, float(channel))) for channel in channels)
    return red, green, blue
