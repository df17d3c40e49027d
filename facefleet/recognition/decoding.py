"""Photo bytes to upright RGB pixels, with limits that are checked before any pixel is decoded.

JPEG goes through libjpeg-turbo (simplejpeg) in one call without the GIL: Pillow takes the GIL back for every 64 kB,
which makes it ten times slower beside a busy thread. The other formats go through Pillow's plugin of that format and
no other: nothing is guessed, and none of Pillow's fifty rarely tested formats can be reached.
"""

import io
import math
from dataclasses import dataclass
from importlib import import_module
from typing import cast

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from facefleet.errors import PermanentError, PhotoTooLarge, PhotoUndecodable
from facefleet.recognition.photo_header import (
    PhotoFormat,
    find_jpeg_exif,
    read_orientation,
    read_size,
    sniff_format,
)
from facefleet.records import RgbImage

#: A progressive JPEG repeats its pixels once a scan; cameras and editors write about ten.
_MAX_JPEG_SCANS = 100
_PROGRESSIVE_JPEG = b"\xff\xc2"
#: Powers of two only: libjpeg-turbo's other scales are slower than decoding in full.
_REDUCTIONS = (8, 4, 2)
_PLUGINS = {
    PhotoFormat.PNG: ("PIL.PngImagePlugin", "PngImageFile"),
    PhotoFormat.WEBP: ("PIL.WebPImagePlugin", "WebPImageFile"),
    PhotoFormat.AVIF: ("PIL.AvifImagePlugin", "AvifImageFile"),
    PhotoFormat.GIF: ("PIL.GifImagePlugin", "GifImageFile"),
    PhotoFormat.BMP: ("PIL.BmpImagePlugin", "BmpImageFile"),
    PhotoFormat.HEIC: ("pillow_heif", "HeifImageFile"),
}
#: EXIF orientation -> how the stored pixels become upright: transpose first, then cv2.flip's code.
_UPRIGHT = {2: (False, 1), 3: (False, -1), 4: (False, 0), 5: (True, None), 6: (True, 1), 7: (True, -1), 8: (True, 0)}


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What a photo may cost; both are checked on the header."""

    max_bytes: int
    max_pixels: int


@dataclass(frozen=True, slots=True)
class DecodedPhoto:
    """An upright photo, possibly at a half, a quarter or an eighth of its size."""

    image: RgbImage
    #: Size of the upright photo in full.
    width_px: int
    height_px: int

    @property
    def scale(self) -> float:
        """Pixels of `image` for one pixel of the photo: 1, or about 1/2, 1/4, 1/8."""
        return float(max(self.image.shape[:2]) / max(self.width_px, self.height_px))


def decode_photo(photo_bytes: bytes, limits: DecodeLimits, *, min_side_px: int | None = None) -> DecodedPhoto:
    """Decode a photo upright.

    Args:
        photo_bytes: a JPEG, PNG, WebP, AVIF, HEIC, GIF or BMP file; of an animation, the first frame is taken.
        limits: checked before any pixel is decoded.
        min_side_px: a JPEG may be reduced as long as its longer side keeps this many pixels; None: never.

    Raises:
        PhotoTooLarge: more bytes or pixels than the limits allow.
        PhotoUndecodable: not a photo, a format that is not read, or damaged.
    """
    if len(photo_bytes) > limits.max_bytes:
        raise PhotoTooLarge(
            f"The photo has {len(photo_bytes):,} bytes; the limit is {limits.max_bytes:,} (FACEFLEET_MAX_PHOTO_BYTES)."
        )
    photo_format = sniff_format(photo_bytes)
    if photo_format is PhotoFormat.JPEG:
        return _decode_jpeg(photo_bytes, limits, min_side_px)
    return _decode_with_pillow(photo_bytes, photo_format, limits)


def _check_size(size_px: tuple[int, int], limits: DecodeLimits) -> None:
    width_px, height_px = size_px
    if width_px < 1 or height_px < 1:
        raise PhotoUndecodable(f"The header claims a size of {width_px} x {height_px} pixels.")
    if width_px * height_px > limits.max_pixels:
        raise PhotoTooLarge(
            f"The photo claims {width_px} x {height_px} pixels ({width_px * height_px / 1e6:,.0f} megapixels); "
            f"the limit is {limits.max_pixels / 1e6:,.0f} megapixels (FACEFLEET_MAX_PHOTO_PIXELS)."
        )


def _decode_jpeg(photo_bytes: bytes, limits: DecodeLimits, min_side_px: int | None) -> DecodedPhoto:
    try:
        height, width, colorspace, _ = simplejpeg.decode_jpeg_header(photo_bytes, strict=False)
    except (ValueError, KeyError) as error:  # KeyError: its lookup of a colour space that the header does not name
        raise PhotoUndecodable("The JPEG header is damaged or names no usable size.") from error
    _check_size((width, height), limits)
    if _PROGRESSIVE_JPEG in photo_bytes and photo_bytes.count(b"\xff\xda") > _MAX_JPEG_SCANS:
        raise PhotoUndecodable(f"The JPEG has more than {_MAX_JPEG_SCANS} scans; no camera or editor writes that.")
    reduction = next((r for r in _REDUCTIONS if min_side_px and max(width, height) >= r * min_side_px), 1)
    four_inks = colorspace in ("CMYK", "YCCK")
    options = {
        "colorspace": "CMYK" if four_inks else "RGB",
        "min_height": math.ceil(height / reduction),
        "min_width": math.ceil(width / reduction),
        "min_factor": reduction,
    }
    pixels = _run_jpeg_decoder(photo_bytes, options)
    image = _mix_inks(pixels) if four_inks else pixels
    return _turn_upright(image, read_orientation(find_jpeg_exif(photo_bytes)), width, height)


def _run_jpeg_decoder(photo_bytes: bytes, options: dict[str, object]) -> NDArray[np.uint8]:
    """Decode strictly; go on leniently where every viewer does, but never past missing pixels."""
    try:
        return cast("NDArray[np.uint8]", simplejpeg.decode_jpeg(photo_bytes, **options))
    except ValueError as error:
        if "premature end" not in str(error).lower():
            return _decode_jpeg_leniently(photo_bytes, options)
    try:  # A file that only lacks its end-of-image marker has all its pixels.
        return cast("NDArray[np.uint8]", simplejpeg.decode_jpeg(photo_bytes + b"\xff\xd9", **options))
    except ValueError as error:
        raise PhotoUndecodable(_explain_jpeg(error)) from error


def _decode_jpeg_leniently(photo_bytes: bytes, options: dict[str, object]) -> NDArray[np.uint8]:
    try:
        return cast("NDArray[np.uint8]", simplejpeg.decode_jpeg(photo_bytes, strict=False, **options))
    except ValueError as error:
        raise PhotoUndecodable(_explain_jpeg(error)) from error


def _explain_jpeg(error: ValueError) -> str:
    text = str(error)
    if "premature end" in text.lower():
        return "The JPEG ends too early: part of the file is missing."
    return f"The JPEG is damaged: {text.rstrip('.')}."


def _mix_inks(inks: NDArray[np.uint8]) -> RgbImage:
    """Turn Adobe's inverted CMYK (255 is no ink), which is what is found in photos, into RGB."""
    wide = inks.astype(np.uint16)
    return cast("RgbImage", (wide[..., :3] * wide[..., 3:] // 255).astype(np.uint8))


def _decode_with_pillow(photo_bytes: bytes, photo_format: PhotoFormat, limits: DecodeLimits) -> DecodedPhoto:
    size_px = read_size(photo_bytes, photo_format)
    if size_px is not None:
        _check_size(size_px, limits)
    module, plugin = _PLUGINS[photo_format]
    try:
        open_image = getattr(import_module(module), plugin)
    except ImportError as error:
        raise PhotoUndecodable(
            "HEIC photos need the extra `heic`: install facefleet[heic], then retry the photo."
        ) from error
    try:
        with open_image(io.BytesIO(photo_bytes)) as opened:
            _check_size(opened.size, limits)
            _refuse_slow_decoder(opened)
            opened.load()
            _check_size(opened.size, limits)
            image, exif = _to_rgb(opened), opened.info.get("exif") or b""
    except (PermanentError, MemoryError):
        raise
    except Exception as error:  # a decoder that is fed hostile bytes raises anything: it all means the same
        raise PhotoUndecodable(_explain_pillow(photo_format, error)) from error
    return _turn_upright(image, read_orientation(exif), image.shape[1], image.shape[0])


def _refuse_slow_decoder(opened: Image.Image) -> None:
    if any(str(tile[0]) == "bmp_rle" for tile in getattr(opened, "tile", ())):
        raise PhotoUndecodable("Run-length coded BMP is not supported; save the photo as JPEG or PNG.")


def _explain_pillow(photo_format: PhotoFormat, error: Exception) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    if "truncated" in text.lower() or isinstance(error, EOFError):
        return f"The {photo_format} ends too early: part of the file is missing."
    return f"The {photo_format} is damaged" + (f": {text}." if text else ".")


def _to_rgb(opened: Image.Image) -> RgbImage:
    """Convert any mode to RGB: 16 bits are scaled to 8, and what is transparent becomes white."""
    if opened.mode.startswith("I"):
        grey = (np.asarray(opened).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if not opened.has_transparency_data:
        return np.asarray(opened.convert("RGB"))
    colour = opened.convert("RGBA")
    paper = Image.new("RGB", colour.size, "white")
    paper.paste(colour, mask=colour.getchannel("A"))
    return np.asarray(paper)


def _turn_upright(image: RgbImage, orientation: int, width_px: int, height_px: int) -> DecodedPhoto:
    """Apply an EXIF orientation; width and height are those of the stored photo in full."""
    transposed, flip_code = _UPRIGHT.get(orientation, (False, None))
    turned = cv2.transpose(image) if transposed else image
    if flip_code is not None:
        turned = cv2.flip(turned, flip_code)
    if transposed:
        width_px, height_px = height_px, width_px
    return DecodedPhoto(cast("RgbImage", turned), width_px, height_px)
