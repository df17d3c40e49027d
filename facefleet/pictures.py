"""Small pictures of photos and faces: made when somebody looks at them, and kept in memory for a while."""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from enum import StrEnum

import cv2
import numpy as np
import simplejpeg

from facefleet.face_records import Box, RgbImage
from facefleet.recognition.orientation import resize_image
from facefleet.recognition.sandbox import PhotoDecoder

#: Pixels of a face's picture: twice what a page shows, for screens with two pixels in one.
_CROP_SIDE_PX = 192
#: A face's picture shows this many times the longer side of its box: hair and chin belong to a face.
_CROP_MARGIN = 1.7
_JPEG_QUALITY = 82


class PictureSize(StrEnum):
    """How large a picture of a whole photo is."""

    GRID = "grid"
    SCREEN = "screen"

    @property
    def side_px(self) -> int:
        """The longer side; a smaller photo keeps its size."""
        return 480 if self is PictureSize.GRID else 1920


def make_thumbnail(decoder: PhotoDecoder, photo_bytes: bytes, size: PictureSize) -> bytes:
    """Shrink a photo to a JPEG without metadata.

    Args:
        decoder: decodes as bulk work: searches go first.
        photo_bytes: the file.
        size: of the result.

    Raises:
        PhotoTooLarge, PhotoUndecodable, RecognizerUnavailable: as `PhotoDecoder.decode`.
    """
    with decoder.decode(photo_bytes, min_side_px=size.side_px) as photo:
        return _encode(_shrink(photo.image, size.side_px))


def make_face_crop(decoder: PhotoDecoder, photo_bytes: bytes, box: Box) -> bytes:
    """Cut a face out of a photo, square unless the photo is too narrow, as a JPEG without metadata.

    Args:
        decoder: decodes as bulk work: searches go first.
        photo_bytes: the file.
        box: of the face, in pixels of the upright photo.

    Raises:
        PhotoTooLarge, PhotoUndecodable, RecognizerUnavailable: as `PhotoDecoder.decode`.
    """
    side_px = max(box.w, box.h, 1.0) * _CROP_MARGIN
    with decoder.decode(photo_bytes) as photo:
        height, width = photo.image.shape[:2]
        left, right = _place(box.x + box.w / 2, side_px, width)
        top, bottom = _place(box.y + box.h / 2, side_px, height)
        return _encode(_shrink(photo.image[top:bottom, left:right], _CROP_SIDE_PX))


def _place(centre: float, side: float, room: int) -> tuple[int, int]:
    """Put an interval around a centre, moved and cut so that it lies between 0 and `room`."""
    length = min(math.ceil(side), room)
    start = min(max(round(centre - side / 2), 0), room - length)
    return start, start + length


def _shrink(image: RgbImage, side_px: int) -> RgbImage:
    height, width = image.shape[:2]
    scale = side_px / max(height, width)
    if scale >= 1:
        return image
    return resize_image(image, max(round(width * scale), 1), max(round(height * scale), 1), cv2.INTER_AREA)


def _encode(image: RgbImage) -> bytes:
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(image), quality=_JPEG_QUALITY, colorsubsampling="420"))


class PictureCache:
    """The pictures that were looked at last, up to a number of bytes. Thread-safe: `_lock` guards all the rest.

    In memory only: what an album's deletion leaves here is reachable by nobody, and gone with the process.
    """

    def __init__(self, max_bytes: int) -> None:
        """Begin empty; with 0 bytes nothing is kept."""
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._pictures: OrderedDict[Hashable, bytes] = OrderedDict()
        self._used_bytes = 0

    def forget(self, keys: Iterable[Hashable]) -> None:
        """Let go of pictures, at once."""
        with self._lock:
            for key in keys:
                self._used_bytes -= len(self._pictures.pop(key, b""))

    def obtain(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """Hand out a picture; one that is not here is made by the caller, and two callers at once both make it."""
        with self._lock:
            if key in self._pictures:
                self._pictures.move_to_end(key)
                return self._pictures[key]
        picture = make()
        with self._lock:
            self._used_bytes += len(picture) - len(self._pictures.pop(key, b""))
            self._pictures[key] = picture
            while self._used_bytes > self._max_bytes:
                self._used_bytes -= len(self._pictures.popitem(last=False)[1])
        return picture
