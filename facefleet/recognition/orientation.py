"""Photos that are stored lying or mirrored: turned upright without moving a pixel.

Turning 12 megapixels takes nearly as long as decoding them. An upright image is a view of the stored one instead, and
OpenCV, which would copy such a view whole, is given the pixels in the order in which they lie in memory.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facefleet.face_records import RgbImage


@dataclass(frozen=True, slots=True)
class Turn:
    """How stored pixels become upright: transposed first, then flipped."""

    transposed: bool = False
    #: Upside down.
    flips_y: bool = False
    #: Left to right.
    flips_x: bool = False

    def apply(self, stored: RgbImage) -> RgbImage:
        """Look at stored pixels upright."""
        view = stored.swapaxes(0, 1) if self.transposed else stored
        return self._flip(view)

    def undo(self, upright: RgbImage) -> RgbImage:
        """Look at upright pixels as they are stored."""
        view = self._flip(upright)
        return view.swapaxes(0, 1) if self.transposed else view

    def _flip(self, image: RgbImage) -> RgbImage:
        return image[:: -1 if self.flips_y else 1, :: -1 if self.flips_x else 1]

    def places(self, height: int, width: int) -> NDArray[np.float64]:
        """Give the (3, 3) transform that takes a stored pixel's (x, y, 1) to its place upright.

        Args:
            height: of the upright image.
            width: the same.
        """
        across, down = ((0, 1), (1, 0)) if self.transposed else ((1, 0), (0, 1))
        x = (*np.negative(across), width - 1) if self.flips_x else (*across, 0)
        y = (*np.negative(down), height - 1) if self.flips_y else (*down, 0)
        return np.array([x, y, (0, 0, 1)], dtype=np.float64)


#: By EXIF orientation.
TURNS = {
    1: Turn(),
    2: Turn(flips_x=True),
    3: Turn(flips_y=True, flips_x=True),
    4: Turn(flips_y=True),
    5: Turn(transposed=True),
    6: Turn(transposed=True, flips_x=True),
    7: Turn(transposed=True, flips_y=True, flips_x=True),
    8: Turn(transposed=True, flips_y=True),
}


def turn_of(image: RgbImage) -> Turn:
    """Tell how an image lies in memory: undone, its pixels are where OpenCV reads them without a copy."""
    down, across, _ = image.strides
    return Turn(transposed=abs(down) < abs(across), flips_y=down < 0, flips_x=across < 0)


def resize_image(image: RgbImage, width: int, height: int, interpolation: int) -> RgbImage:
    """Resize an upright image to (height, width, 3); the result lies in memory as the image does.

    Args:
        image: (H, W, 3) uint8 RGB.
        width: in pixels, of the result.
        height: the same.
        interpolation: OpenCV's number of it.
    """
    turn = turn_of(image)
    size = (height, width) if turn.transposed else (width, height)
    return turn.apply(np.asarray(cv2.resize(turn.undo(image), size, interpolation=interpolation), np.uint8))
