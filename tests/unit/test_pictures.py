import io
from typing import cast

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from facefleet.face_records import Box, RgbImage
from facefleet.pictures import PictureCache, PictureSize, make_face_crop, make_thumbnail
from facefleet.recognition.decode_limits import DecodeLimits
from facefleet.recognition.sandbox import LocalDecoder

DECODER = LocalDecoder(DecodeLimits(10_000_000, 10_000_000))


def photo_with_a_red_face(width: int, height: int, box: tuple[int, int, int, int]) -> bytes:
    image = np.full((height, width, 3), (0, 0, 255), np.uint8)
    x, y, w, h = box
    image[y : y + h, x : x + w] = (255, 0, 0)
    return cast("bytes", simplejpeg.encode_jpeg(image, quality=95))


def decoded(picture: bytes) -> RgbImage:
    return cast("RgbImage", np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")))


@pytest.mark.parametrize("size", list(PictureSize))
def test_a_thumbnail_has_the_photos_shape_and_its_longer_side(size: PictureSize) -> None:
    picture = decoded(make_thumbnail(DECODER, photo_with_a_red_face(2400, 1200, (0, 0, 10, 10)), size))
    assert picture.shape[:2] == (size.side_px // 2, size.side_px)


def test_a_small_photo_keeps_its_size_and_a_turned_one_stands_upright() -> None:
    turned = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (300, 100), "red").save(turned, "JPEG", exif=exif)
    picture = make_thumbnail(DECODER, turned.getvalue(), PictureSize.GRID)
    assert decoded(picture).shape[:2] == (300, 100)
    assert not Image.open(io.BytesIO(picture)).getexif(), "nothing of the photo's metadata gets out"


@pytest.mark.parametrize("box", [(900, 500, 200, 260), (0, 0, 200, 260), (1800, 900, 200, 260)])
def test_a_crop_is_a_square_around_the_face_within_the_photo(box: tuple[int, int, int, int]) -> None:
    crop = decoded(make_face_crop(DECODER, photo_with_a_red_face(2000, 1160, box), Box(*box)))
    assert crop.shape[:2] == (192, 192)
    red = (crop[..., 0] > 200) & (crop[..., 2] < 60)
    share = 200 * 260 / (260 * 1.7) ** 2
    assert red.mean() == pytest.approx(share, abs=0.03)


def test_a_face_larger_than_the_photo_is_all_of_it() -> None:
    crop = decoded(make_face_crop(DECODER, photo_with_a_red_face(60, 90, (0, 0, 60, 90)), Box(0, 0, 60, 90)))
    assert crop.shape[:2] == (90, 60)


def test_a_cache_keeps_what_was_looked_at_last() -> None:
    cache, made = PictureCache(max_bytes=25), []

    def look_at(name: str, size_bytes: int = 10) -> None:
        def make() -> bytes:
            made.append(name)
            return b"x" * size_bytes

        assert len(cache.obtain(name, make)) == size_bytes

    for name in "abab":
        look_at(name)
    assert made == ["a", "b"]
    look_at("c")  # 30 bytes are too many: a, which was looked at before b, goes
    look_at("b")
    assert made == ["a", "b", "c"]
    look_at("a")
    assert made == ["a", "b", "c", "a"]
    look_at("huge", 1000)
    look_at("b")
    assert made[-2:] == ["huge", "b"], "what does not fit is shown and not kept, and nothing else either"


def test_a_cache_of_nothing_makes_every_picture() -> None:
    cache = PictureCache(0)
    assert [cache.obtain("a", lambda n=n: bytes([n])) for n in range(2)] == [b"\0", b"\1"]
