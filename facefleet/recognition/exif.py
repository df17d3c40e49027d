"""What a camera wrote into a photo: which way is up, and when it was taken. Pure parsing; damage is normal input."""

import re
import struct
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

_PREFIX = b"Exif\x00\x00"
_BYTE_ORDERS = {b"II*\x00": "<", b"MM\x00*": ">"}
_ENTRY_BYTES = 12
_ORIENTATION_TAG = 0x0112
#: Where the block begins that holds what the camera says of itself.
_CAMERA_BLOCK_TAG = 0x8769
#: When it was taken; else when it was digitized. The date of the file's last change is neither.
_TIME_TAGS = (0x9003, 0x9004)
_SHORT_TYPE, _LONG_TYPE = 3, 4
_TIME_BYTES = 19
_TIME = re.compile(rb"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)")
_APP1 = 0xE1
#: JPEG markers without a length: stuffing, TEM, RST0 to RST7, SOI.
_BARE_MARKERS = frozenset((0x00, 0x01, 0xFF, *range(0xD0, 0xD9)))
#: End of image and start of scan: nothing of interest follows.
_LAST_MARKERS = (0xD9, 0xDA)

#: Kind of a value, and where it or its address lies, by tag.
_Block: TypeAlias = dict[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Exif:
    """What is read of an EXIF block."""

    #: 1-8; 1 (upright) when it is not said.
    orientation: int = 1
    #: By the camera's own clock, without a time zone; None: not said, or no such moment.
    taken_at: datetime | None = None


def find_jpeg_exif(photo_bytes: bytes) -> bytes:
    """Return the EXIF block of a JPEG (TIFF bytes), or nothing.

    Walks the segments before the first scan, as a decoder does; Pillow is not asked because it warns about
    damaged EXIF, which is normal input here.
    """
    position = 2
    while (position := photo_bytes.find(b"\xff", position)) >= 0 and position + 4 <= len(photo_bytes):
        marker = photo_bytes[position + 1]
        if marker in _BARE_MARKERS:
            position += 1
            continue
        if marker in _LAST_MARKERS:
            break
        length = int.from_bytes(photo_bytes[position + 2 : position + 4], "big")
        body = position + 4
        if marker == _APP1 and photo_bytes[body : body + 6] == _PREFIX:
            return photo_bytes[body + 6 : position + 2 + length]
        position += 2 + max(length, 2)
    return b""


def read_exif(exif: bytes) -> Exif:
    """Read an EXIF block; what is missing, damaged or out of range is as if it were not said.

    Args:
        exif: a TIFF structure, with or without the `Exif` prefix.

    Source: TIFF 6.0, section 2; Exif 2.32, tags 0x0112, 0x8769, 0x9003 and 0x9004.
    """
    tiff = exif.removeprefix(_PREFIX)
    order = _BYTE_ORDERS.get(tiff[:4])
    if order is None:
        return Exif()
    try:
        first = _read_block(tiff, order, *struct.unpack_from(order + "I", tiff, 4))
        return Exif(_read_orientation(tiff, order, first), _read_taken_at(tiff, order, first))
    except struct.error:
        return Exif()


def _read_block(tiff: bytes, order: str, start: int) -> _Block:
    """Read the entries that are there; of two with one tag the first counts."""
    (count,) = struct.unpack_from(order + "H", tiff, start)
    there = max(len(tiff) - start - 2, 0) // _ENTRY_BYTES
    found: _Block = {}
    for entry in range(start + 2, start + 2 + _ENTRY_BYTES * min(count, there), _ENTRY_BYTES):
        tag, kind = struct.unpack_from(order + "HH", tiff, entry)
        found.setdefault(tag, (kind, entry + 8))
    return found


def _read_orientation(tiff: bytes, order: str, block: _Block) -> int:
    kind, place = block.get(_ORIENTATION_TAG, (0, 0))
    if kind != _SHORT_TYPE:
        return 1
    (orientation,) = struct.unpack_from(order + "H", tiff, place)
    return int(orientation) if 1 <= orientation <= 8 else 1  # noqa: PLR2004  # eight ways up


def _read_taken_at(tiff: bytes, order: str, first: _Block) -> datetime | None:
    kind, place = first.get(_CAMERA_BLOCK_TAG, (0, 0))
    (start,) = struct.unpack_from(order + "I", tiff, place)
    if kind != _LONG_TYPE or start + 2 > len(tiff):
        return None
    block = _read_block(tiff, order, start)
    said = (_read_time(tiff, order, block[tag][1]) for tag in _TIME_TAGS if tag in block)
    return next((moment for moment in said if moment), None)


def _read_time(tiff: bytes, order: str, place: int) -> datetime | None:
    (start,) = struct.unpack_from(order + "I", tiff, place)
    found = _TIME.fullmatch(tiff[start : start + _TIME_BYTES])
    if not found:
        return None
    year, month, day, time = (part.decode() for part in found.groups())
    try:
        return datetime.fromisoformat(f"{year}-{month}-{day} {time}")
    except ValueError:
        return None
