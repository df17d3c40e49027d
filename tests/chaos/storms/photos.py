"""Photos that mean harm: to the decoder, to memory, to time."""

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from PIL import Image

from tests.chaos.profile import MUTANTS
from tests.chaos.run import Run
from tests.fixtures.packs import SHARED

#: By the last bytes of a photo, what its decoder does: see hostile_decoders.
POISONS = ("segfault", "abort", "loop", "allocation", "malloc", "exit", "defect")


def add_poisons(run: Run) -> None:
    """Photos whose decoder crashes, hangs or eats memory, and a bomb of 600 megapixels in 70 bytes."""
    drawing = run.scene.drawings[min(run.scene.drawings)]
    hostile = {f"{poison}.jpg": drawing + f"poison: {poison}".encode() for poison in POISONS}
    _add(run, hostile | {"bomb.png": _bomb()}, lambda _: None)


def add_bad_images(run: Run) -> None:
    """Every hostile file at hand."""
    files = {f"{path.name}.jpg": path.read_bytes() for path in sorted((SHARED / "bad-images").iterdir())}
    _add(run, files, run.scene.recognize)


def add_mutants(run: Run) -> None:
    """Damaged JPEG, PNG and WebP; what the models make of each is asked in another process."""
    _add(run, dict(mutate(run)), run.scene.recognize)


def watch(run: Run) -> None:
    """Nothing more than what the photos do; the workers are the same afterwards."""
    workers = {name: pid for name, pid in run.scene.fleet.pids().items() if name.startswith("worker")}
    run.wait_for_quiet(120)
    run.scene.fleet.note_exits()
    after = run.scene.fleet.pids()
    run.note("workers whose pid is unchanged", sum(after.get(name) == pid for name, pid in workers.items()))


def mutate(run: Run) -> Iterator[tuple[str, bytes]]:
    """Write seeded mutants of small photos: cut, bits flipped, a size that lies, bytes from elsewhere."""
    chance = random.Random(run.seed)
    originals = {name: _shrink(run, name) for name in ("JPEG", "PNG", "WEBP")}
    for number in range(MUTANTS):
        kind = ("JPEG", "PNG", "WEBP")[number % 3]
        harm = _HARMS[number // 3 % len(_HARMS)]
        yield f"mutant-{run.seed}-{number}.{kind.lower()}", harm(bytearray(originals[kind]), chance)


def _add(run: Run, photos: Mapping[str, bytes], expected: Callable[[bytes], object]) -> None:
    if not run.armed:
        return
    for number, (name, data) in enumerate(photos.items()):
        found = expected(data)
        run.scene.oracle.truth[name] = found  # type: ignore[assignment]
        run.scene.put(f"{run.album}/{5000 + number}-{name}", data)
        run.note("hostile")
        run.note("unreadable", int(found is None))
    run.strikes += len(photos)


def _shrink(run: Run, kind: str) -> bytes:
    """One of the drawn photos, small."""
    with Image.open(io.BytesIO(run.scene.drawings[sorted(run.scene.drawings)[1]])) as drawn:
        small = io.BytesIO()
        drawn.resize((320, 240)).save(small, kind)
        return small.getvalue()


def _cut(data: bytearray, chance: random.Random) -> bytes:
    return bytes(data[: chance.randrange(len(data))])


def _flip(data: bytearray, chance: random.Random, within: int = 0) -> bytes:
    for _ in range(chance.randint(1, 12)):
        data[chance.randrange(within or len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def _splice(data: bytearray, chance: random.Random) -> bytes:
    start, length = chance.randrange(len(data)), chance.randint(1, 400)
    data[start : start + length] = chance.randbytes(chance.randint(0, 400))
    return bytes(data)


_HARMS: tuple[Callable[[bytearray, random.Random], bytes], ...] = (_cut, _flip, partial(_flip, within=64), _splice)


def _bomb() -> bytes:
    """A PNG that claims 600 megapixels."""
    head = struct.pack(">IIBBBBB", 30_000, 20_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(head)) + chunk + struct.pack(">I", zlib.crc32(chunk))
