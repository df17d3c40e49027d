"""`make bench-gallery`: the embedded gallery at 100,000 and a million faces.

Exact search is what serves; the index (HNSW over bytes) is built by a child process that owns the shard meanwhile, as
the engine holds the interpreter for minutes. Recall is counted against exact search. The longest pause is what another
thread of the serving process saw while faces were written and searched.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5

import numpy as np
import psutil

from facefleet.gallery.qdrant_edge import EdgeGallery
from facefleet.records import GalleryPoint, Template
from tests.benchmarks.albums import CHECKOUT
from tests.benchmarks.crowd import random_templates
from tests.benchmarks.measuring import machine, percentile

_VERSION = "bench"
_ALBUM = UUID(int=1)
_PROBES = 200
_TOP = 10
_BATCH = 500
_TICK_S = 0.005


def main() -> None:
    """Measure each size and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--dimensions", type=int, default=512)
    parser.add_argument("--index", action="store_true", help="build an index, too: minutes to an hour")
    parser.add_argument("--directory", type=Path, default=CHECKOUT / ".bench")
    options = parser.parse_args()
    options.directory.mkdir(exist_ok=True)
    figures = {"when": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "sizes": {}}
    for faces in options.faces:
        with tempfile.TemporaryDirectory(dir=options.directory) as scratch:
            figures["sizes"][faces] = measure(Path(scratch), faces, options.dimensions, index=options.index)
        print(faces, json.dumps(figures["sizes"][faces]), flush=True)
    (options.directory / "bench-gallery.json").write_text(json.dumps(figures, indent=2))


def measure(directory: Path, faces: int, dimensions: int, *, index: bool) -> dict[str, object]:
    """Fill a gallery, search it, and index it in a child."""
    probes = make_probes(faces, dimensions)
    with closing(EdgeGallery(directory / "gallery")) as gallery:
        gallery.prepare(_VERSION, dimensions)
        began_s, before_mb = time.monotonic(), psutil.Process().memory_info().rss / 1e6
        for batch in _batches(faces, dimensions):
            gallery.upsert(_VERSION, batch)
        write_s = time.monotonic() - began_s
        memory_mb = psutil.Process().memory_info().rss / 1e6 - before_mb
        figures: dict[str, object] = {
            "writes_per_s": round(faces / write_s),
            "memory_bytes_a_face": round(1e6 * memory_mb / faces),
        }
        figures["disk_bytes_a_face"] = round(_size_of(directory) / faces)
        figures["exact"], exact = search(gallery, probes)
        figures["longest_pause_ms"] = longest_pause_ms(gallery, probes, dimensions)
    began_s = time.monotonic()
    with closing(EdgeGallery(directory / "gallery")):
        figures["open_s"] = round(time.monotonic() - began_s, 2)
    if index:
        began_s = time.monotonic()
        program = "import sys, pathlib; from facefleet.gallery.edge_index import index_gallery as index; "
        command = [sys.executable, "-c", program + "index(pathlib.Path(sys.argv[1]))", directory / "gallery"]
        subprocess.run(command, check=True)
        figures["index_s"] = round(time.monotonic() - began_s, 1)
        figures["disk_bytes_a_face_indexed"] = round(_size_of(directory) / faces)
        with closing(EdgeGallery(directory / "gallery")) as gallery:
            figures["indexed"], found = search(gallery, probes)
        hits = [len(set(one) & set(other)) / len(other) for one, other in zip(found, exact, strict=True)]
        figures["recall_at_10"] = round(float(np.mean(hits)), 4)
    return figures


def make_probes(faces: int, dimensions: int) -> list[Template]:
    """Other pictures of people who are in the gallery."""
    random = np.random.default_rng(5)
    chosen = set(np.linspace(0, faces - 1, _PROBES, dtype=int).tolist())
    known = [each for number, each in enumerate(random_templates(faces, dimensions, seed=1)) if number in chosen]
    noisy = (each + 0.8 * _unit(random.standard_normal(dimensions).astype(np.float32)) for each in known)
    return [_unit(each) for each in noisy]


def _unit(vector: Template) -> Template:
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def _batches(faces: int, dimensions: int, start: int = 0) -> Iterator[list[GalleryPoint]]:
    points = []
    for number, template in enumerate(random_templates(faces, dimensions, seed=1 + start)):
        points.append(
            GalleryPoint(uuid5(_ALBUM, str(start + number)), _ALBUM, uuid5(_ALBUM, str(number // 5)), template)
        )
        if len(points) == _BATCH:
            yield points
            points = []
    if points:
        yield points


def search(gallery: EdgeGallery, probes: Sequence[Template]) -> tuple[dict[str, float], list[list[UUID]]]:
    """Search with every probe, one after the other."""
    latencies_ms, found = [], []
    for probe in probes:
        began_s = time.perf_counter()
        matches = gallery.search(_VERSION, _ALBUM, probe, limit=_TOP, min_similarity=-1)
        latencies_ms.append(1000 * (time.perf_counter() - began_s))
        found.append([match.face_id for match in matches])
    return {f"p{each}_ms": round(percentile(latencies_ms, each), 2) for each in (50, 99)}, found


def longest_pause_ms(gallery: EdgeGallery, probes: Sequence[Template], dimensions: int) -> float:
    """How late a thread wakes up that wants to run every 5 ms, while faces are written and searched beside it."""
    ended = threading.Event()
    late_ms = [0.0]

    def tick() -> None:
        while not ended.is_set():
            due_s = time.perf_counter() + _TICK_S
            time.sleep(_TICK_S)
            late_ms.append(1000 * (time.perf_counter() - due_s))

    watcher = threading.Thread(target=tick)
    watcher.start()
    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(lambda: [gallery.upsert(_VERSION, each) for each in _batches(5000, dimensions, 10**8)])
        pool.submit(search, gallery, probes).result()
        writing.result()
    ended.set()
    watcher.join()
    return round(max(late_ms), 1)


def _size_of(directory: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in directory.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
