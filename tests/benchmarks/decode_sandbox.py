"""What decoding in child processes costs: `python -m tests.benchmarks.decode_sandbox`.

Both sides decode the same photos in turn, pair by pair, and shrink each to the detector's input, so that the pixels are
read where a recognizer reads them. CPU seconds are those of this process and of every child.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import psutil

from facefleet.recognition.decode_limits import DecodeLimits
from facefleet.recognition.decoding import kept_side_px
from facefleet.recognition.detection import choose_canvas, fit_to_canvas
from facefleet.recognition.sandbox import DecodeSandbox, LocalDecoder
from tests.benchmarks.albums import prepare_album

_LIMITS = DecodeLimits(max_bytes=50_000_000, max_pixels=100_000_000)


@dataclass(frozen=True)
class Cost:
    """One side, once over all photos."""

    cpu_s: float
    wall_s: float
    #: Of one photo.
    latencies_s: list[float]


def cpu_of(process: psutil.Process) -> float:
    """CPU seconds of a process so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def spent_cpu_s(decoder: DecodeSandbox | LocalDecoder) -> float:
    """CPU seconds of this process and of the decoder's."""
    mine = time.process_time()
    if isinstance(decoder, LocalDecoder):
        return mine
    server = psutil.Process(decoder.server.pid)
    return mine + sum(map(cpu_of, [server, *server.children()]))


def look_at(decoder: DecodeSandbox | LocalDecoder, photo_bytes: bytes) -> float:
    """Decode and shrink one photo; return the seconds until its pixels were there."""
    began_s = time.perf_counter()
    with decoder.decode(photo_bytes, min_side_px=kept_side_px(0)) as decoded:
        took_s = time.perf_counter() - began_s
        fit_to_canvas(decoded.image, choose_canvas(*decoded.image.shape[:2], 640), 640)
    return took_s


def measure(decoder: DecodeSandbox | LocalDecoder, photos: Sequence[bytes], callers: ThreadPoolExecutor) -> Cost:
    """Decode every photo once."""
    cpu_s, wall_s = spent_cpu_s(decoder), time.perf_counter()
    latencies_s = list(callers.map(lambda photo: look_at(decoder, photo), photos))
    return Cost(spent_cpu_s(decoder) - cpu_s, time.perf_counter() - wall_s, latencies_s)


def compare(photos: Sequence[bytes], threads: int, rounds: int) -> None:
    """Print the medians of both sides and of their ratio pair by pair."""
    local = LocalDecoder(_LIMITS)
    costs: dict[str, list[Cost]] = {"in this process": [], "in children": []}
    with (
        closing(DecodeSandbox(_LIMITS, processes=threads, timeout_s=30)) as sandbox,
        ThreadPoolExecutor(threads) as pool,
    ):
        sides = {"in this process": local, "in children": sandbox}
        for decoder in sides.values():
            measure(decoder, photos, pool)  # warm: children forked, blocks touched
        for number in range(rounds):
            for name in sorted(sides, reverse=bool(number % 2)):
                costs[name].append(measure(sides[name], photos, pool))
    report(costs, len(photos), threads)


def report(costs: dict[str, list[Cost]], photos: int, threads: int) -> None:
    """Print a table for one number of callers."""
    print(f"{photos} photos, {threads} at once")
    for name, each in costs.items():
        cpu_ms = statistics.median(cost.cpu_s for cost in each) / photos * 1000
        wait_ms = statistics.median(latency for cost in each for latency in cost.latencies_s) * 1000
        wall_s = statistics.median(cost.wall_s for cost in each)
        print(f"  {name:16} {cpu_ms:7.2f} CPU-ms/photo {photos / wall_s:7.1f} photos/s {wait_ms:7.2f} ms until pixels")
    pairs = list(zip(*costs.values(), strict=True))
    ratio = statistics.median(children.cpu_s / here.cpu_s for here, children in pairs)
    print(f"  children / this process: {ratio:.3f} CPU (median of {len(pairs)} pairs)")


def main() -> None:
    """Measure start-up and cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, help="folder of JPEGs; none: an album of 12 megapixels is composed")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 4])
    options = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as directory:
        album = options.photos or prepare_album(Path(directory), options.count)
        photos = [path.read_bytes() for path in sorted(album.rglob("*.jp*g"))[: options.count]]
    began_s = time.perf_counter()
    with closing(DecodeSandbox(_LIMITS, processes=1, timeout_s=30)) as sandbox:
        sandbox.prepare()
        print(f"first child ready after {(time.perf_counter() - began_s) * 1000:.0f} ms")
        began_s = time.perf_counter()
        with closing(sandbox.server.fork_child(urgent=False)) as child:
            child.wait_until_ready()
            print(f"every further child after {(time.perf_counter() - began_s) * 1000:.1f} ms")
    for threads in options.threads:
        compare(photos, threads, options.rounds)


if __name__ == "__main__":
    main()
