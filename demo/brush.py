"""Anti-aliased drawing on an image, in the drawing's own units."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from demo.geometry import Points, ribbon, transform
from demo.palette import Colour

RgbImage = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.uint8]

#: fillPoly takes fixed-point coordinates with this many fractional bits.
SUBPIXEL_BITS = 4


@dataclass(frozen=True)
class Brush:
    """Draws in place on `image`, (H, W, 3) uint8 RGB, through the (2, 3) matrix `to_pixels`."""

    image: RgbImage
    to_pixels: Points

    @property
    def scale(self) -> float:
        """Pixels per unit."""
        return math.hypot(self.to_pixels[0, 0], self.to_pixels[1, 0])

    def fill(self, outline: Points, colour: Colour, opacity: float = 1.0) -> None:
        """Fill a closed outline."""
        if opacity >= 1.0:
            _fill_polygon(self.image, self._fixed_point(outline), colour)
            return
        window = self._window(outline, margin_px=1)
        if window is None:
            return
        region = self.image[window]
        painted = region.copy()
        corner = np.array([window[1].start, window[0].start]) * 2**SUBPIXEL_BITS
        _fill_polygon(painted, (self._fixed_point(outline) - corner).astype(np.int32), colour)
        cv2.addWeighted(painted, opacity, region, 1.0 - opacity, 0.0, dst=region)

    def stroke(self, line: Points, colour: Colour, width: float, taper: float = 0.0) -> None:
        """Draw along an open line; never thinner than 0.8 px, so that it does not vanish."""
        self.fill(ribbon(line, max(width, 0.8 / self.scale), taper), colour)

    def glow(
        self, outline: Points, colour: Colour, opacity: float, softness: float, inside: Mask | None = None
    ) -> None:
        """Fill with an edge blurred over `softness` units, only where the mask `inside` is set."""
        window = self._window(outline, margin_px=round(2 * softness * self.scale) + 1)
        if window is None:
            return
        mask = np.zeros(self.image.shape[:2], np.uint8)
        _fill_polygon(mask, self._fixed_point(outline), (255.0, 0.0, 0.0))
        part = np.ascontiguousarray(mask[window])
        kernel = max(1, round(softness * self.scale))
        part = cv2.blur(cv2.blur(part, (kernel, kernel)), (kernel, kernel)).astype(np.uint8)
        if inside is not None:
            part = np.minimum(part, inside[window])
        weight = part.astype(np.float32)[..., None] * (opacity / 255.0)
        region = self.image[window]
        region[:] = (region + (np.array(colour, np.float32) - region) * weight).astype(np.uint8)

    def mask_of(self, outline: Points) -> Mask:
        """(H, W) uint8, 255 inside the outline."""
        mask = np.zeros(self.image.shape[:2], np.uint8)
        _fill_polygon(mask, self._fixed_point(outline), (255.0, 0.0, 0.0))
        return mask

    def shade(self, mask: Mask, angle: float, strength: float) -> None:
        """Light `mask` from the direction `angle` (radians): brighter on that side, darker on the other."""
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if len(rows) == 0:
            return
        window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        x = (np.arange(columns[0], columns[-1] + 1) - self.to_pixels[0, 2]) / self.scale * math.cos(angle)
        y = (np.arange(rows[0], rows[-1] + 1) - self.to_pixels[1, 2]) / self.scale * math.sin(angle)
        slope = np.clip(x[None] + y[:, None], -1.0, 0.4).astype(np.float32)
        gain = 1.0 + strength * slope * (mask[window] > 0)
        region = self.image[window]
        region[:] = np.minimum(region * gain[..., None], 255).astype(np.uint8)

    def _fixed_point(self, outline: Points) -> npt.NDArray[np.int32]:
        fixed = np.round(transform(self.to_pixels, outline) * 2**SUBPIXEL_BITS)
        return np.asarray(fixed, np.int32)

    def _window(self, outline: Points, margin_px: int) -> tuple[slice, slice] | None:
        pixels = transform(self.to_pixels, outline)
        height, width = self.image.shape[:2]
        left, top = np.maximum(np.floor(pixels.min(axis=0)).astype(int) - margin_px, 0)
        right, bottom = np.minimum(np.ceil(pixels.max(axis=0)).astype(int) + margin_px + 1, [width, height])
        if right - left < 2 or bottom - top < 2:
            return None
        return slice(int(top), int(bottom)), slice(int(left), int(right))


def _fill_polygon(image: npt.NDArray[np.uint8], corners: npt.NDArray[np.int32], colour: Colour) -> None:
    cv2.fillPoly(image, [corners], colour, cv2.LINE_AA, SUBPIXEL_BITS)
