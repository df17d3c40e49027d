"""What the first bytes of a photo say: its format and its size. Pure parsing, nothing is decoded."""

import struct
from enum import StrEnum

from facefleet.errors import PhotoUndecodable

SUPPORTED_FORMATS = "JPEG, PNG, WebP, AVIF, HEIC, GIF or BMP"


class PhotoFormat(StrEnum):
    """Formats that are read; everything else is refused by name or as unknown."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WebP"
    AVIF = "AVIF"
    HEIC = "HEIC"
    GIF = "GIF"
    BMP = "BMP"


_MAGIC = (
    (b"\xff\xd8\xff", PhotoFormat.JPEG),
    (b"\x89PNG\r\n\x1a\n", PhotoFormat.PNG),
    (b"GIF87a", PhotoFormat.GIF),
    (b"GIF89a", PhotoFormat.GIF),
    (b"BM", PhotoFormat.BMP),
)
#: Not read, but a person should hear what it is.
_REFUSED_MAGIC = (
    (b"II*\x00", "TIFF (or a camera's raw format)"),
    (b"MM\x00*", "TIFF (or a camera's raw format)"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"8BPS", "Photoshop"),
    (b"%PDF", "PDF"),
    (b"icns", "Apple icon"),
    (b"DDS ", "DDS texture"),
    (b"BLP", "BLP texture"),
    (b"PK\x03\x04", "ZIP archive"),
)
_AVIF_BRANDS = (b"avif", b"avis")
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
#: Between the major brand and the compatible ones.
_FTYP_VERSION_OFFSET = 4


def sniff_format(photo_bytes: bytes) -> PhotoFormat:
    """Tell the format by content; file names and content types lie.

    Raises:
        PhotoUndecodable: empty, a format that is not read, or no picture at all.
    """
    if not photo_bytes:
        raise PhotoUndecodable("The file is empty.")
    if photo_bytes[:4] == b"RIFF" and photo_bytes[8:12] == b"WEBP":
        return PhotoFormat.WEBP
    if photo_bytes[4:8] == b"ftyp":
        return _sniff_container(photo_bytes)
    for magic, photo_format in _MAGIC:
        if photo_bytes.startswith(magic):
            return photo_format
    for magic, name in _REFUSED_MAGIC:
        if photo_bytes.startswith(magic):
            raise PhotoUndecodable(f"{name} is not a supported format; save the photo as {SUPPORTED_FORMATS}.")
    raise PhotoUndecodable(f"The file is not a photo: it is none of {SUPPORTED_FORMATS}.")


def _sniff_container(photo_bytes: bytes) -> PhotoFormat:
    size = int.from_bytes(photo_bytes[:4], "big")
    ftyp = photo_bytes[8 : min(max(size, 16), 256)]
    brands = [ftyp[start : start + 4] for start in range(0, len(ftyp), 4) if start != _FTYP_VERSION_OFFSET]
    if any(brand in _AVIF_BRANDS for brand in brands):
        return PhotoFormat.AVIF
    if any(brand in _HEIC_BRANDS for brand in brands):
        return PhotoFormat.HEIC
    raise PhotoUndecodable(f"The file is a video or another media container, not {SUPPORTED_FORMATS}.")


def read_size(photo_bytes: bytes, photo_format: PhotoFormat) -> tuple[int, int] | None:
    """Read (width, height) in pixels of a PNG, GIF or WebP; None for formats that opening costs nothing to ask.

    Opening a WebP with Pillow already allocates its canvas, so the limits are checked on these numbers first.

    Raises:
        PhotoUndecodable: the header is damaged.
    """
    try:
        match photo_format:
            case PhotoFormat.PNG:
                return struct.unpack_from(">II", photo_bytes, 16)
            case PhotoFormat.GIF:
                return struct.unpack_from("<HH", photo_bytes, 6)
            case PhotoFormat.WEBP:
                return _read_webp_size(photo_bytes)
            case _:
                return None
    except struct.error as error:
        raise PhotoUndecodable(f"The {photo_format} header is damaged.") from error


def _read_webp_size(photo_bytes: bytes) -> tuple[int, int]:
    """Source: RFC 9649, sections 2.5 to 2.7."""
    kind = photo_bytes[12:16]
    if kind == b"VP8X":
        fields = struct.unpack_from("<HBHB", photo_bytes, 24)
        return (fields[0] | fields[1] << 16) + 1, (fields[2] | fields[3] << 16) + 1
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", photo_bytes, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind != b"VP8 ":
        raise PhotoUndecodable("The WebP header is damaged.")
    width, height = struct.unpack_from("<HH", photo_bytes, 26)
    return width & 0x3FFF, height & 0x3FFF
