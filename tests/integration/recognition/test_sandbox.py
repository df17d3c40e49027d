"""The decode sandbox: whatever a photo does to a decoder, it dies alone."""

import hashlib
import io
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from facefleet.errors import PermanentError, PhotoTooLarge, PhotoUndecodable, RecognizerUnavailable
from facefleet.recognition import sandbox, sandbox_process
from facefleet.recognition.decode_limits import DecodeLimits
from facefleet.recognition.decoding import decode_photo
from facefleet.recognition.sandbox import DecodeSandbox, LocalDecoder, open_decoder
from facefleet.recognition.sandbox_wire import PLANTED_DECODER
from facefleet.recognition.starting import load_recognizer
from facefleet.settings import Settings
from tests.integration.recognition.hostile_decoders import KILLS_USED_CHILD, POISONS, WAITS

LIMITS = DecodeLimits(max_bytes=5_000_000, max_pixels=10_000_000)
TIMEOUT_S = 1.5
MUTANTS = int(os.environ.get("FACEFLEET_TEST_MUTANTS", "2000"))
CRASHED, SLOW = "The decoder crashed on it", f"took longer than {TIMEOUT_S:g} s"
SENTENCES = {
    b"poison: segfault": CRASHED,
    b"poison: abort": CRASHED,
    b"poison: exit": CRASHED,
    b"poison: loop": SLOW,
    b"poison: sleep": SLOW,
    b"poison: allocation": "more than 0.7 GB of memory",
    b"poison: malloc": CRASHED,
    b"poison: defect": "RuntimeError: a defect of the decoder",
    b"poison: stop": SLOW,
}


def encode(number: int, photo_format: str = "JPEG", side_px: int = 96) -> bytes:
    grain = np.random.default_rng(number).integers(0, 255, (side_px // 8, side_px // 6, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(grain).resize((side_px * 4 // 3, side_px)).save(buffer, photo_format)
    return buffer.getvalue()


def outcome_of(decoder: DecodeSandbox | LocalDecoder, photo_bytes: bytes) -> str:
    """What became of a photo: its size and a digest of its pixels, or a sentence."""
    try:
        with decoder.decode(photo_bytes) as decoded:
            digest = hashlib.sha256(np.ascontiguousarray(decoded.image)).hexdigest()
            return f"{decoded.width_px} x {decoded.height_px}: {digest}"
    except PermanentError as error:
        return f"{type(error).__name__}: {error}"


@pytest.fixture
def _planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PLANTED_DECODER, "tests.integration.recognition.hostile_decoders")


@pytest.fixture
def poisonable(_planted: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[DecodeSandbox]:
    monkeypatch.setattr(sandbox_process, "_GRACE_S", 0.5)
    with closing(DecodeSandbox(LIMITS, processes=2, timeout_s=TIMEOUT_S)) as decoder:
        yield decoder


@pytest.fixture(scope="module")
def clean() -> Iterator[DecodeSandbox]:
    with closing(DecodeSandbox(LIMITS, processes=3, timeout_s=20)) as decoder:
        yield decoder


def children_of(decoder: DecodeSandbox) -> list[psutil.Process]:
    return psutil.Process(decoder.server.pid).children()


def is_at_work(child: psutil.Process) -> bool:
    """Whether a child still runs; the one that was stopped cannot end itself."""
    try:
        return child.status() not in {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE}
    except psutil.NoSuchProcess:
        return False


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(happened: Callable[[], bool], within_s: float = 20) -> None:
    give_up_at = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def test_every_poison_kills_its_own_photo_and_nothing_else(poisonable: DecodeSandbox) -> None:
    server = poisonable.server.pid
    local = LocalDecoder(LIMITS)
    poisoned = {encode(number) + poison: sentence for number, (poison, sentence) in enumerate(SENTENCES.items())}
    neighbours = [encode(100 + number) for number in range(60)]
    photos = random.Random(1).sample([*poisoned, *neighbours], len(poisoned) + len(neighbours))
    with ThreadPoolExecutor(6) as callers:
        outcomes = dict(zip(photos, callers.map(lambda photo: outcome_of(poisonable, photo), photos), strict=True))
    assert SENTENCES.keys() == POISONS.keys()
    for photo, sentence in poisoned.items():
        assert outcomes[photo].startswith("PhotoUndecodable"), photo[-20:]
        assert sentence in outcomes[photo]
    assert {photo: outcomes[photo] for photo in neighbours} == {photo: outcome_of(local, photo) for photo in neighbours}
    assert poisonable.server.pid == server
    wait_until(lambda: len([child for child in children_of(poisonable) if is_at_work(child)]) <= 2)


@pytest.mark.usefixtures("_planted")
@pytest.mark.parametrize("poison", [b"poison: sleep", b"poison: loop"])
def test_a_child_that_takes_too_long_ends_itself(poison: bytes) -> None:
    with closing(DecodeSandbox(LIMITS, processes=1, timeout_s=0.2)) as decoder:
        began_s = time.monotonic()
        assert "took longer than 0.2 s" in outcome_of(decoder, encode(1) + poison)
        assert time.monotonic() - began_s < sandbox_process._GRACE_S
        wait_until(lambda: not children_of(decoder))


def test_a_photo_whose_decoder_waits_for_the_processor_is_not_given_up(poisonable: DecodeSandbox) -> None:
    assert outcome_of(poisonable, encode(1) + WAITS) == outcome_of(LocalDecoder(LIMITS), encode(1))


def test_children_that_are_forked_while_new_sockets_get_a_timeout_decode(monkeypatch: pytest.MonkeyPatch) -> None:
    # As Celery does while it shuts down. Without care about one of these children in four dies.
    monkeypatch.setattr(sandbox, "_PHOTOS_PER_CHILD", 1)
    before = socket.getdefaulttimeout()
    with closing(DecodeSandbox(LIMITS, processes=1, timeout_s=TIMEOUT_S)) as decoder:
        expected = outcome_of(decoder, encode(1))
        socket.setdefaulttimeout(5)
        try:
            assert {outcome_of(decoder, encode(1)) for _ in range(40)} == {expected}
        finally:
            socket.setdefaulttimeout(before)


def test_a_photo_in_an_unlucky_child_gets_a_fresh_one(poisonable: DecodeSandbox) -> None:
    outcome_of(poisonable, encode(1))
    assert outcome_of(poisonable, encode(2) + KILLS_USED_CHILD) == outcome_of(LocalDecoder(LIMITS), encode(2))


@pytest.mark.usefixtures("_planted")
def test_a_recognizer_goes_on_after_a_crash(demo_pack: Path) -> None:
    settings = Settings(_env_file=None, model_pack=str(demo_pack), device="cpu", cpu_threads=1)
    with closing(load_recognizer(settings)) as recognizer:
        with pytest.raises(PhotoUndecodable, match=CRASHED):
            recognizer.recognize(encode(1) + b"poison: segfault")
        assert recognizer.recognize(encode(1)).height_px == 96
        assert recognizer.healthy


@pytest.mark.shared
def test_bad_images_end_as_in_process(clean: DecodeSandbox, shared_dir: Path) -> None:
    local, server = LocalDecoder(LIMITS), clean.server.pid
    for path in sorted((shared_dir / "bad-images").iterdir()):
        assert outcome_of(clean, path.read_bytes()) == outcome_of(local, path.read_bytes()), path.name
    assert clean.server.pid == server


def mutate(photo: bytes, chance: random.Random) -> bytes:
    """Flip, overwrite, cut, repeat or drop a few bytes."""
    mutant = bytearray(photo)
    for _ in range(chance.randint(1, 8)):
        start, length = chance.randrange(len(mutant)), chance.choice((1, 1, 1, 2, 4, 64))
        match chance.randrange(5):
            case 0:
                mutant[start] ^= 1 << chance.randrange(8)
            case 1:
                mutant[start : start + length] = chance.randbytes(length)
            case 2:
                mutant[start : start + length] = b"\xff" * length
            case 3:
                mutant[start:start] = mutant[start : start + length]
            case _:
                del mutant[start : start + length]
    return bytes(mutant)


def test_mutants_end_as_in_process_and_kill_nobody(clean: DecodeSandbox) -> None:
    local, server = LocalDecoder(LIMITS), clean.server.pid
    chance = random.Random(20_261_121)
    originals = [encode(number, kind) for kind in ("JPEG", "PNG", "WEBP") for number in range(4)]
    mutants = [mutate(originals[number % len(originals)], chance) for number in range(MUTANTS)]
    with ThreadPoolExecutor(4) as callers:
        outcomes = list(callers.map(lambda mutant: outcome_of(clean, mutant), mutants))
    assert outcomes == [outcome_of(local, mutant) for mutant in mutants]
    dead = sum(outcome.startswith("Photo") for outcome in outcomes)
    assert MUTANTS / 10 < dead < MUTANTS
    assert clean.server.pid == server
    assert outcome_of(clean, originals[0]) == outcome_of(local, originals[0])


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def test_bombs_are_refused(clean: DecodeSandbox) -> None:
    huge = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 20_000, 8, 2, 0, 0, 0))
    with pytest.raises(PhotoTooLarge, match="600 megapixels"), clean.decode(huge):
        pass
    png = encode(1, "PNG")
    text = png_chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(bytes(400_000_000), 9))
    with pytest.raises(PhotoUndecodable, match="PNG"), clean.decode(png[:33] + text + png[33:]):
        pass
    with pytest.raises(PhotoTooLarge, match="5,000,001 bytes"), clean.decode(bytes(5_000_001)):
        pass


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("photo_format", ["JPEG", "WEBP"])
def test_photos_are_upright(clean: DecodeSandbox, photo_format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.open(io.BytesIO(encode(orientation))).save(buffer, photo_format, exif=exif)
    assert outcome_of(clean, buffer.getvalue()) == outcome_of(LocalDecoder(LIMITS), buffer.getvalue())


@pytest.mark.parametrize("photo_format", ["JPEG", "PNG", "WEBP"])
def test_it_is_told_when_a_photo_was_taken(clean: DecodeSandbox, photo_format: str) -> None:
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x0112] = 1
    exif.get_ifd(0x8769)[0x9003] = "2024:06:01 15:30:59"
    Image.new("RGB", (32, 24)).save(buffer, photo_format, exif=exif)
    with clean.decode(buffer.getvalue()) as decoded:
        assert decoded.taken_at == datetime.fromisoformat("2024-06-01T15:30:59")


def test_a_large_jpeg_is_reduced_and_larger_photos_follow_smaller_ones(clean: DecodeSandbox) -> None:
    for side_px in (48, 1600, 96, 2400, 48):
        photo = encode(side_px, side_px=side_px)
        expected = decode_photo(photo, LIMITS, min_side_px=800)
        with clean.decode(photo, min_side_px=800) as decoded:
            np.testing.assert_array_equal(decoded.image, expected.image)
            assert (decoded.width_px, decoded.height_px) == (expected.width_px, expected.height_px)


def test_two_images_can_be_looked_at_together(clean: DecodeSandbox) -> None:
    with clean.decode(encode(1)) as first, clean.decode(encode(2)) as second:
        np.testing.assert_array_equal(first.image, decode_photo(encode(1), LIMITS).image)
        np.testing.assert_array_equal(second.image, decode_photo(encode(2), LIMITS).image)


@pytest.mark.usefixtures("_planted")
def test_a_search_does_not_wait_for_bulk_work() -> None:
    with closing(DecodeSandbox(LIMITS, processes=1, timeout_s=60)) as decoder, ThreadPoolExecutor(3) as callers:
        bulk = [callers.submit(outcome_of, decoder, encode(number) + b"poison: sleep") for number in range(3)]
        wait_until(lambda: len(children_of(decoder)) == 1)
        with decoder.decode(encode(9), urgent=True) as decoded:
            assert decoded.height_px == 96
        assert not any(future.done() for future in bulk)
        decoder.close()
        assert all(isinstance(future.exception(10), RecognizerUnavailable) for future in bulk)


def test_children_of_bulk_work_leave_the_processor_to_those_of_searches() -> None:
    with closing(DecodeSandbox(LIMITS, processes=1, timeout_s=TIMEOUT_S)) as decoder:
        for urgent in (False, True):
            with decoder.decode(encode(1), urgent=urgent) as decoded:
                assert decoded.height_px == 96
        mine = os.getpriority(os.PRIO_PROCESS, 0)
        priorities = sorted(os.getpriority(os.PRIO_PROCESS, child.pid) for child in children_of(decoder))
        assert priorities == [mine, min(mine + 5, 19)]


def test_children_are_replaced_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_PHOTOS_PER_CHILD", 3)
    with closing(DecodeSandbox(LIMITS, processes=1, timeout_s=TIMEOUT_S)) as decoder:
        pids = []
        for number in range(7):
            outcome_of(decoder, encode(number))
            wait_until(lambda: len(children_of(decoder)) == 1)
            pids.append(children_of(decoder)[0].pid)
    assert len(set(pids)) == 3
    assert pids == sorted(pids, key=pids.index)


def test_signals_to_the_whole_group_do_not_reach_photos_in_flight(clean: DecodeSandbox) -> None:
    before = outcome_of(clean, encode(1)), clean.server.pid
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.killpg(clean.server.pid, number)
    assert (outcome_of(clean, encode(1)), clean.server.pid) == before


def test_a_killed_fork_server_is_started_again(poisonable: DecodeSandbox) -> None:
    before, first = outcome_of(poisonable, encode(1)), poisonable.server.pid
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: is_gone(first))
    assert outcome_of(poisonable, encode(1) + KILLS_USED_CHILD) == before
    assert poisonable.server.pid not in {first, 0}


PARENT = """
import sys, threading
from facefleet.recognition.decode_limits import DecodeLimits
from facefleet.recognition.sandbox import DecodeSandbox
decoder = DecodeSandbox(DecodeLimits(5_000_000, 10_000_000), processes=2, timeout_s=600)
decoder.prepare()
photo = sys.stdin.buffer.read()
threading.Thread(target=lambda: decoder.decode(photo).__enter__()).start()
with decoder.decode(photo.removesuffix(b"poison: loop")):
    print(decoder.server.pid, flush=True)
"""


@pytest.mark.usefixtures("_planted")
def test_a_killed_parent_takes_its_children_along() -> None:
    photo = encode(1) + b"poison: loop"
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdin
        assert parent.stdout
        parent.stdin.write(photo)
        parent.stdin.close()
        server = int(parent.stdout.readline())
        pids = [server, *(child.pid for child in psutil.Process(server).children())]
        wait_until(lambda: any(child.cpu_times().user > 0.05 for child in psutil.Process(server).children()))
        parent.kill()
    assert len(pids) == 4, "the server, a child that is ready for searches, and two at work"
    wait_until(lambda: all(map(is_gone, pids)), within_s=5)


def held_resources() -> tuple[int, int]:
    """Open files, and blocks in memory."""
    maps = Path("/proc/self/maps").read_text()
    return len(list(Path("/proc/self/fd").iterdir())), maps.count("facefleet-pixels")


@pytest.mark.usefixtures("_planted")
def test_close_leaves_no_process_no_memory_and_no_descriptor() -> None:
    before = held_resources()
    with ThreadPoolExecutor(2) as callers:
        decoder = DecodeSandbox(LIMITS, processes=2, timeout_s=600)
        outcome_of(decoder, encode(1))
        looping = callers.submit(outcome_of, decoder, encode(2) + b"poison: loop")
        wait_until(lambda: any(child.cpu_times().user > 0.05 for child in children_of(decoder)))
        pids = [decoder.server.pid, *(child.pid for child in children_of(decoder))]
        assert held_resources() != before
        decoder.close()
        assert isinstance(looping.exception(10), RecognizerUnavailable)
    with pytest.raises(RecognizerUnavailable), decoder.decode(encode(1)):
        pass
    del looping
    wait_until(lambda: all(map(is_gone, pids)), within_s=5)
    assert held_resources() == before


def test_the_setting_says_where_photos_are_decoded() -> None:
    with closing(open_decoder(Settings(_env_file=None, decode_processes=0))) as local:
        assert isinstance(local, LocalDecoder)
    with closing(open_decoder(Settings(_env_file=None))) as sandboxed:
        assert isinstance(sandboxed, DecodeSandbox)
