"""Photo bytes to RGB pixels as they are stored, with limits that are checked before any pixel is decoded.

JPEG goes through libjpeg-turbo (simplejpeg) in one call without the GIL: Pillow takes the GIL back for every 64 kB,
which makes it ten times slower beside a busy thread. The other formats go through Pillow's plugin of that format and
no other: nothing is guessed, and none of Pillow's fifty rarely tested formats can be reached.

This is all that the sandbox's children import, so it stays light; turning pixels upright is `decoding`.
"""

import io
import math
import os
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from facefleet.errors import PermanentError, PhotoTooLarge, PhotoUndecodable
from facefleet.face_records import RgbImage
from facefleet.recognition.decode_limits import DecodeLimits
from facefleet.recognition.exif import Exif, find_jpeg_exif, read_exif
from facefleet.recognition.photo_header import PhotoFormat, read_size, sniff_format

if TYPE_CHECKING:
    from PIL import Image

#: A progressive JPEG repeats its pixels once a scan; cameras and editors write about ten.
_MAX_JPEG_SCANS = 100
#: FF DA, as a number of two bytes, the lower one first.
_SCAN_BEGINS = 0xDAFF
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


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """The pixels of a photo as the file stores them, possibly at a half, a quarter or an eighth of its size."""

    #: (H, W, 3) uint8 RGB, not yet upright.
    pixels: NDArray[np.uint8]
    exif: Exif
    #: Size of the stored photo in full.
    width_px: int
    height_px: int


def read_stored_photo(
    photo_bytes: bytes,
    limits: DecodeLimits,
    *,
    min_side_px: int | None = None,
    room: NDArray[np.uint8] | None = None,
) -> StoredPhoto:
    """Decode a photo the way round it is stored.

    Args:
        photo_bytes: a JPEG, PNG, WebP, AVIF, HEIC, GIF or BMP file; of an animation, the first frame is taken.
        limits: checked before any pixel is decoded.
        min_side_px: a JPEG may be reduced as long as its longer side keeps this many pixels; None: never.
        room: (N,) uint8 with 3 bytes for every pixel the limits allow; the pixels of a JPEG are decoded into it.

    Raises:
        PhotoTooLarge: more bytes or pixels than the limits allow.
        PhotoUndecodable: not a photo, a format that is not read, or damaged.
    """
    check_bytes(photo_bytes, limits)
    photo_format = sniff_format(photo_bytes)
    if photo_format is PhotoFormat.JPEG:
        return _read_jpeg(photo_bytes, limits, min_side_px, room)
    return _read_with_pillow(photo_bytes, photo_format, limits)


def check_bytes(photo_bytes: bytes, limits: DecodeLimits) -> None:
    """Refuse a file that is too long.

    Raises:
        PhotoTooLarge: more bytes than the limits allow.
    """
    if len(photo_bytes) > limits.max_bytes:
        raise PhotoTooLarge(
            f"The photo has {len(photo_bytes):,} bytes; the limit is {limits.max_bytes:,} (FACEFLEET_MAX_PHOTO_BYTES)."
        )


def _check_size(size_px: tuple[int, int], limits: DecodeLimits) -> None:
    width_px, height_px = size_px
    if width_px < 1 or height_px < 1:
        raise PhotoUndecodable(f"The header claims a size of {width_px} x {height_px} pixels.")
    if width_px * height_px > limits.max_pixels:
        raise PhotoTooLarge(
            f"The photo claims {width_px} x {height_px} pixels ({width_px * height_px / 1e6:,.0f} megapixels); "
            f"the limit is {limits.max_pixels / 1e6:,.0f} megapixels (FACEFLEET_MAX_PHOTO_PIXELS)."
        )


def _read_jpeg(
    photo_bytes: bytes, limits: DecodeLimits, min_side_px: int | None, room: NDArray[np.uint8] | None
) -> StoredPhoto:
    try:
        height, width, colorspace, _ = simplejpeg.decode_jpeg_header(photo_bytes, strict=False)
    except (ValueError, KeyError) as error:  # KeyError: its lookup of a colour space that the header does not name
        raise PhotoUndecodable("The JPEG header is damaged or names no usable size.") from error
    _check_size((width, height), limits)
    # Counted for every kind of JPEG: progressive ones come with arithmetic coding too.
    if _count_scans(photo_bytes) > _MAX_JPEG_SCANS:
        raise PhotoUndecodable(f"The JPEG has more than {_MAX_JPEG_SCANS} scans; no camera or editor writes that.")
    reduction = next((r for r in _REDUCTIONS if min_side_px and max(width, height) >= r * min_side_px), 1)
    four_inks = colorspace in ("CMYK", "YCCK")
    options = {
        "colorspace": "CMYK" if four_inks else "RGB",
        "min_height": math.ceil(height / reduction),
        "min_width": math.ceil(width / reduction),
        "min_factor": reduction,
        "buffer": None if four_inks else room,
        # Colours are not smoothed between pixels that share one: saves a twentieth of decoding, and leaves templates
        # as they were (cosine 0.9994 at the first percentile of 268 faces).
        "fastupsample": True,
    }
    pixels = _run_jpeg_decoder(photo_bytes, options)
    image = _mix_inks(pixels) if four_inks else pixels
    return StoredPhoto(image, read_exif(find_jpeg_exif(photo_bytes)), width, height)


def _count_scans(photo_bytes: bytes) -> int:
    """Count the bytes FF DA, at even places and at odd ones: five times as fast as `bytes.count`."""
    pairs = (np.frombuffer(photo_bytes, "<u2", (len(photo_bytes) - start) // 2, start) for start in (0, 1))
    return sum(int(np.count_nonzero(each == _SCAN_BEGINS)) for each in pairs)


def _run_jpeg_decoder(photo_bytes: bytes, options: dict[str, object]) -> NDArray[np.uint8]:
    """Decode strictly; go on leniently where every viewer does, but never past missing pixels."""
    try:
        return cast("NDArray[np.uint8]", simplejpeg.decode_jpeg(photo_bytes, **options))
    except ValueError as error:
        if "premature end" not in str(error).lower():
            return _decode_jpeg_leniently(photo_bytes, options, error)
    try:  # A file that only lacks its end-of-image marker has all its pixels.
        return cast("NDArray[np.uint8]", simplejpeg.decode_jpeg(photo_bytes + b"\xff\xd9", **options))
    except ValueError as error:
        raise PhotoUndecodable(_explain_jpeg(error)) from error


def _decode_jpeg_leniently(
    photo_bytes: bytes, options: dict[str, object], first_error: ValueError
) -> NDArray[np.uint8]:
    """Decode on over damage; never hand out what was in memory before.

    Where libjpeg gives up for good, the lenient mode of simplejpeg says that all went well and leaves the pixels as
    they were: perhaps those of another photo. Rows are written from the top, so a mark in the last one tells.
    """
    four_inks = options["colorspace"] == "CMYK"
    wanted = {name: options[name] for name in ("min_height", "min_width", "min_factor")}
    try:
        height, width, *_ = simplejpeg.decode_jpeg_header(photo_bytes, strict=False, **wanted)
        row_bytes = width * (4 if four_inks else 3)
        room = np.empty(height * row_bytes, np.uint8) if options["buffer"] is None else options["buffer"]
        last_row = cast("NDArray[np.uint8]", room)[(height - 1) * row_bytes : height * row_bytes]
        mark = np.frombuffer(os.urandom(row_bytes), np.uint8)
        last_row[:] = mark
        pixels = simplejpeg.decode_jpeg(photo_bytes, strict=False, **(options | {"buffer": room}))
    except ValueError as error:
        raise PhotoUndecodable(_explain_jpeg(error)) from error
    if np.array_equal(last_row, mark):
        raise PhotoUndecodable(_explain_jpeg(first_error)) from first_error
    return cast("NDArray[np.uint8]", pixels)


def _explain_jpeg(error: ValueError) -> str:
    text = str(error)
    if "premature end" in text.lower():
        return "The JPEG ends too early: part of the file is missing."
    return f"The JPEG is damaged: {text.rstrip('.')}."


def _mix_inks(inks: NDArray[np.uint8]) -> RgbImage:
    """Turn Adobe's inverted CMYK (255 is no ink), which is what is found in photos, into RGB."""
    wide = inks.astype(np.uint16)
    return cast("RgbImage", (wide[..., :3] * wide[..., 3:] // 255).astype(np.uint8))


def _read_with_pillow(photo_bytes: bytes, photo_format: PhotoFormat, limits: DecodeLimits) -> StoredPhoto:
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
    return StoredPhoto(image, read_exif(exif), image.shape[1], image.shape[0])


def _refuse_slow_decoder(opened: "Image.Image") -> None:
    if any(str(tile[0]) == "bmp_rle" for tile in getattr(opened, "tile", ())):
        raise PhotoUndecodable("Run-length coded BMP is not supported; save the photo as JPEG or PNG.")


def _explain_pillow(photo_format: PhotoFormat, error: Exception) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    if "truncated" in text.lower() or isinstance(error, EOFError):
        return f"The {photo_format} ends too early: part of the file is missing."
    return f"The {photo_format} is damaged" + (f": {text}." if text else ".")


def _to_rgb(opened: "Image.Image") -> RgbImage:
    """Convert any mode to RGB: 16 bits are scaled to 8, and what is transparent becomes white."""
    if opened.mode.startswith("I"):
        grey = (np.asarray(opened).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if not opened.has_transparency_data:
        return np.asarray(opened.convert("RGB"))
    from PIL import Image  # noqa: PLC0415  by now it is loaded; processes that see JPEG alone do without

    colour = opened.convert("RGBA")
    paper = Image.new("RGB", colour.size, "white")
    paper.paste(colour, mask=colour.getchannel("A"))
    return np.asarray(paper)
