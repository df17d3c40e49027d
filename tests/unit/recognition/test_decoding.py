"""Decoding: what is refused and why, and that every format and orientation ends as the same upright RGB."""

import io
import struct
import zlib

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from facefleet.errors import PhotoTooLarge, PhotoUndecodable
from facefleet.recognition.decode_limits import DecodeLimits
from facefleet.recognition.decoders import read_stored_photo
from facefleet.recognition.decoding import decode_photo, kept_side_px

LIMITS = DecodeLimits(max_bytes=5_000_000, max_pixels=10_000_000)


def quadrants(width: int = 96, height: int = 64) -> np.ndarray:
    """Red, green, blue and grey quarters: no two orientations look the same."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = (220, 30, 30)
    picture[: height // 2, width // 2 :] = (30, 200, 30)
    picture[height // 2 :, : width // 2] = (30, 30, 210)
    picture[height // 2 :, width // 2 :] = (128, 128, 128)
    return picture


def encode(picture: np.ndarray, photo_format: str, mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).convert(mode).save(buffer, photo_format, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def jpeg_with_size(width: int, height: int) -> bytes:
    jpeg = bytearray(encode(quadrants(), "JPEG"))
    start = jpeg.index(b"\xff\xc0")
    jpeg[start + 5 : start + 9] = struct.pack(">HH", height, width)
    return bytes(jpeg)


def webp_header(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + b"\x00\x00\x00\x00" + size


def assert_looks_like(image: np.ndarray, picture: np.ndarray, tolerance: float = 12) -> None:
    assert image.shape == picture.shape
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - picture).mean() < tolerance


@pytest.mark.parametrize(
    ("hostile", "sentence"),
    [
        (b"", "The file is empty"),
        (b"just some text, named .jpg", "not a photo"),
        (b"II*\x00" + bytes(100), "TIFF .* is not a supported format"),
        (b"\x00\x00\x00\x18ftypisom" + bytes(100), "video"),
        (encode(quadrants(640, 480), "JPEG")[:-900], "ends too early"),
        (encode(quadrants(640, 480), "PNG")[:-300], "ends too early"),
        (encode(quadrants(), "JPEG")[:60], "JPEG header is damaged"),
        (encode(quadrants(), "JPEG")[:3], "JPEG header is damaged"),
        (encode(quadrants(), "WEBP")[:14], "WebP header is damaged"),
        (encode(quadrants(), "WEBP")[:60], "WebP"),
        (png_header(0, 0), "0 x 0 pixels"),
        (jpeg_with_size(0, 0), "JPEG header is damaged"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"GIF89a", "GIF"),
        (b"BM", "BMP"),
    ],
)
def test_hostile_bytes_are_refused_with_a_sentence(hostile: bytes, sentence: str) -> None:
    with pytest.raises(PhotoUndecodable, match=sentence):
        decode_photo(hostile, LIMITS)


@pytest.mark.parametrize("bomb", [png_header(30_000, 20_000), jpeg_with_size(30_000, 20_000)])
def test_600_megapixels_are_refused_from_the_header(bomb: bytes) -> None:
    with pytest.raises(PhotoTooLarge, match=r"600 megapixels.*limit is 10 megapixels"):
        decode_photo(bomb, LIMITS)


def test_a_huge_webp_is_refused_before_its_canvas_is_allocated() -> None:
    with pytest.raises(PhotoTooLarge, match="megapixels"):
        decode_photo(webp_header(16_000, 16_000), LIMITS)


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(PhotoTooLarge, match="5,000,001 bytes"):
        decode_photo(bytes(5_000_001), LIMITS)


@pytest.mark.parametrize("comment", [b"", b"\xff\xfe\x00\x03!"], ids=["even places", "odd places"])
@pytest.mark.parametrize("frame_marker", [b"\xff\xc2", b"\xff\xca"], ids=["progressive", "progressive, arithmetic"])
def test_a_jpeg_with_endless_scans_is_refused(frame_marker: bytes, comment: bytes) -> None:
    jpeg = encode(quadrants(), "JPEG", progressive=True).replace(b"\xff\xc2", frame_marker)
    with pytest.raises(PhotoUndecodable, match="scans"):
        decode_photo(jpeg[:-2] + comment + b"\xff\xda\x00\x02" * 200 + jpeg[-2:], LIMITS)


def test_a_jpeg_that_only_lacks_its_end_marker_is_read() -> None:
    assert_looks_like(decode_photo(encode(quadrants(), "JPEG")[:-2], LIMITS).image, quadrants())


@pytest.mark.parametrize(
    ("photo_format", "mode"),
    [
        ("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("WEBP", "RGB"),
        ("WEBP", "RGBA"), ("AVIF", "RGB"), ("GIF", "P"), ("BMP", "RGB"),
    ],
)  # fmt: skip
def test_every_format_and_mode_becomes_rgb(photo_format: str, mode: str) -> None:
    assert_looks_like(decode_photo(encode(quadrants(), photo_format, mode), LIMITS).image, quadrants(), tolerance=25)


@pytest.mark.parametrize("photo_format", ["JPEG", "PNG", "WEBP"])
def test_grey_becomes_three_equal_channels(photo_format: str) -> None:
    image = decode_photo(encode(quadrants(), photo_format, "L"), LIMITS).image
    assert image.shape == (64, 96, 3)
    assert int(np.ptp(image.astype(int), axis=2).max()) <= 2


def test_16_bits_are_scaled_not_clipped() -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.full((20, 30), 0x80FF, np.uint16)).save(buffer, "PNG")
    assert (decode_photo(buffer.getvalue(), LIMITS).image == 0x80).all()


def test_transparent_pixels_become_white() -> None:
    clear = np.zeros((20, 30, 4), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(clear, "RGBA").save(buffer, "PNG")
    assert (decode_photo(buffer.getvalue(), LIMITS).image == 255).all()


@pytest.mark.parametrize("photo_format", ["GIF", "WEBP"])
def test_the_first_frame_of_an_animation_is_taken(photo_format: str) -> None:
    frames = [Image.fromarray(quadrants()), Image.new("RGB", (96, 64), "black")]
    buffer = io.BytesIO()
    frames[0].save(buffer, photo_format, save_all=True, append_images=frames[1:], duration=100)
    assert_looks_like(decode_photo(buffer.getvalue(), LIMITS).image, quadrants(), tolerance=20)


#: How an upright picture was stored by a camera held that way: the inverse of what the EXIF orientation asks for.
STORED = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: np.rot90(p, 1),
    7: lambda p: np.rot90(p, 2).transpose(1, 0, 2),
    8: lambda p: np.rot90(p, -1),
}


@pytest.mark.parametrize("photo_format", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_ends_upright(photo_format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    stored = np.ascontiguousarray(STORED[orientation](quadrants()))
    decoded = decode_photo(encode(stored, photo_format, exif=exif), LIMITS)
    assert (decoded.width_px, decoded.height_px) == (96, 64)
    assert_looks_like(decoded.image, quadrants())


@pytest.mark.parametrize(
    "exif", [b"Exif\x00\x00II*\x00\xff\xff\xff\x7f", b"Exif\x00\x00II*\x00", b"Exif\x00\x00garbage"]
)
def test_damaged_exif_is_ignored(exif: bytes) -> None:
    assert_looks_like(decode_photo(encode(quadrants(), "JPEG", exif=exif), LIMITS).image, quadrants())


def test_a_large_jpeg_is_reduced_only_as_far_as_allowed_and_keeps_its_full_size() -> None:
    jpeg = simplejpeg.encode_jpeg(np.ascontiguousarray(quadrants(1602, 1001)))
    half = decode_photo(jpeg, LIMITS, min_side_px=800)
    assert half.image.shape == (501, 801, 3)
    assert (half.width_px, half.height_px) == (1602, 1001)
    assert half.scale == pytest.approx(0.5)
    assert decode_photo(jpeg, LIMITS, min_side_px=802).scale == 1
    assert decode_photo(jpeg, LIMITS, min_side_px=400).scale == pytest.approx(0.25, rel=1e-2)


@pytest.mark.parametrize(
    ("min_face_px", "expected_px"), [(0, 4000), (90, 4000), (120, 3000), (180, 2000), (360, 1000), (5000, 1000)]
)
def test_only_large_faces_need_fewer_pixels(min_face_px: float, expected_px: int) -> None:
    assert kept_side_px(min_face_px) == expected_px


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_a_jpeg_that_ends_in_nothing_never_shows_what_was_in_memory(mode: str) -> None:
    jpeg = bytearray(encode(quadrants(), "JPEG", mode))
    jpeg[jpeg.index(b"\xff\xda") + 6] = 0xDD  # the first component asks for a Huffman table that is not there
    room = np.full(LIMITS.max_pixels * 3, 77, np.uint8)
    with pytest.raises(PhotoUndecodable, match="Huffman table"):
        read_stored_photo(bytes(jpeg), LIMITS, room=room)
    with pytest.raises(PhotoUndecodable, match="Huffman table"):
        decode_photo(bytes(jpeg), LIMITS)


def test_a_damaged_jpeg_with_all_its_pixels_is_read() -> None:
    jpeg = encode(quadrants(640, 480), "JPEG")
    damaged = jpeg[:-2] + bytes(10) + jpeg[-2:]
    assert_looks_like(decode_photo(damaged, LIMITS).image, quadrants(640, 480))
    assert_looks_like(decode_photo(damaged, LIMITS, min_side_px=320).image, quadrants(320, 240))
