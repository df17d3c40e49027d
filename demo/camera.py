"""What a camera does to a picture: blur, exposure, grain, compression."""

import cv2
import numpy as np

from demo.brush import RgbImage

#: Grain is drawn once for a tile of this many pixels a side, which then repeats.
GRAIN_TILE_PX = 256


def expose(image: RgbImage, rng: np.random.Generator) -> RgbImage:
    """(H, W, 3) uint8 RGB through a random, decent camera; a new array of the same shape."""
    if rng.random() < 0.35:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.1)).astype(np.uint8)
    gain = rng.uniform(0.85, 1.06)
    warmth = float(np.clip(rng.normal(0.0, 0.015), -0.03, 0.03))
    levels = np.arange(256, dtype=np.float64)[:, None] * gain * [1.0 + warmth, 1.0, 1.0 - warmth] + rng.uniform(-10, 10)
    image = cv2.LUT(image, np.clip(levels, 0, 255).astype(np.uint8)[None]).astype(np.uint8)
    if rng.random() < 0.6:
        image = _add_grain(image, rng, rng.uniform(1.0, 7.0))
    if rng.random() < 0.4:
        image = _compress(image, int(rng.integers(50, 95)))
    return image


def _add_grain(image: RgbImage, rng: np.random.Generator, strength: float) -> RgbImage:
    height, width = image.shape[:2]
    tile = np.round(rng.standard_normal((GRAIN_TILE_PX, GRAIN_TILE_PX, 3), dtype=np.float32) * strength).astype(
        np.int16
    )
    repeats = (height // GRAIN_TILE_PX + 1, width // GRAIN_TILE_PX + 1, 1)
    grain = np.tile(tile, repeats)[:height, :width]
    return np.asarray(cv2.add(image, grain, dtype=cv2.CV_8U), np.uint8)


def _compress(image: RgbImage, quality: int) -> RgbImage:
    # JPEG does not care that the channels are swapped enough to matter here.
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
