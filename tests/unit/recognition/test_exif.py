"""EXIF as Pillow writes it, as cameras of the other byte order do, and damaged."""

import io
import struct
from datetime import datetime

import pytest
from PIL import Image

from facefleet.recognition.exif import Exif, find_jpeg_exif, read_exif

TAKEN = datetime.fromisoformat("2024-06-01T15:30:59")
SAID = "2024:06:01 15:30:59"


def written(said: dict[int, str], orientation: int = 6) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x0132] = "2030:01:01 00:00:00"
    exif.get_ifd(0x8769).update(said)
    return exif.tobytes()


def big_endian(said: bytes, camera_block: int = 38) -> bytes:
    """One block with orientation and the address of another, which has one time."""
    first = struct.pack(">HHHIHxxHHII", 2, 0x0112, 3, 1, 8, 0x8769, 4, 1, camera_block)
    second = struct.pack(">HHHIII", 1, 0x9003, 2, 20, 56, 0)
    return b"MM\x00*" + struct.pack(">I", 8) + first + struct.pack(">I", 0) + second + said + b"\0"


def test_what_pillow_writes_is_read() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG", exif=written({0x9003: SAID}))
    assert read_exif(find_jpeg_exif(buffer.getvalue())) == Exif(6, TAKEN)


def test_the_other_byte_order_is_read() -> None:
    assert read_exif(big_endian(SAID.encode())) == Exif(8, TAKEN)


def test_a_scan_was_taken_when_it_was_digitized_and_a_later_change_is_no_time() -> None:
    assert read_exif(written({0x9004: SAID})).taken_at == TAKEN
    assert read_exif(written({0x9003: SAID, 0x9004: "2026:01:01 00:00:00"})).taken_at == TAKEN
    assert read_exif(written({})) == Exif(6, None)


@pytest.mark.parametrize(
    "said",
    ["0000:00:00 00:00:00", "2024:02:30 10:00:00", "2024:06:01 24:00:00", "    :  :     :  :  ", "2024-06-01", ""],
)
def test_what_is_no_moment_is_none(said: str) -> None:
    assert read_exif(written({0x9003: said})) == Exif(6, None)


def test_an_address_that_leads_nowhere_leaves_the_rest_as_it_is() -> None:
    assert read_exif(big_endian(SAID.encode(), camera_block=0xFFFFFFFF)) == Exif(8, None)
    assert read_exif(big_endian(b"2024:06:01")) == Exif(8, None)


def test_no_damage_is_too_much() -> None:
    for whole in (written({0x9003: SAID}), big_endian(SAID.encode())):
        for place in range(len(whole)):
            read_exif(whole[:place])
            for flipped in (0x00, 0xFF):
                read_exif(whole[:place] + bytes([flipped]) + whole[place + 1 :])


def test_nothing_is_upright_and_of_no_time() -> None:
    assert read_exif(b"") == read_exif(b"garbage") == Exif(1, None)
