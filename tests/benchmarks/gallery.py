"""`make bench-gallery`: the embedded gallery at 100,000 and a million faces.

Faces and probes are those of `gallery_crowd`. Recall is counted against exact search by the same engine over the same
faces. The index is built by a child process that owns the shard meanwhile, as the engine holds the interpreter for
minutes. The longest pause is what another thread of the serving process saw while faces were written and searched.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5

import numpy as np
import psutil

from facefleet.gallery.qdrant_edge import EdgeGallery
from facefleet.recognition.pack_files import USUAL_SIMILARITY_THRESHOLD
from facefleet.records import GalleryMatch, GalleryPoint
from tests.benchmarks.albums import CHECKOUT
from tests.benchmarks.gallery_crowd import FACES_PER_PHOTO, Crowd, draw_crowd
from tests.benchmarks.measuring import machine, percentile
from tests.benchmarks.people_synthetic import USUAL_SPREAD, draw_faces

_VERSION = "bench"
_PROBES = 500
_TOP = 10
_FACES_BESIDE = 5_000
_TICK_S = 0.005


@dataclass(frozen=True)
class Answers:
    """What a search found for each probe, and how long it took."""

    latencies_ms: list[float]
    #: CPU of the whole process for one search.
    cpu_ms: float
    found: list[list[GalleryMatch]]

    def figures(self) -> dict[str, float]:
        """Its latency."""
        return {
            **{f"p{each}_ms": round(percentile(self.latencies_ms, each), 2) for each in (50, 99)},
            "cpu_ms": round(self.cpu_ms, 2),
        }


def main() -> None:
    """Measure each size and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--dimensions", type=int, default=128)
    parser.add_argument("--albums", type=int, default=1, help="that the faces are cut into")
    parser.add_argument("--index", action="store_true", help="build an index, too: minutes to an hour")
    parser.add_argument("--directory", type=Path, default=CHECKOUT / ".bench")
    options = parser.parse_args()
    options.directory.mkdir(exist_ok=True)
    sizes: dict[int, dict[str, object]] = {}
    for faces in options.faces:
        crowd = draw_crowd(faces, options.dimensions, options.albums, _PROBES)
        with tempfile.TemporaryDirectory(dir=options.directory) as scratch:
            sizes[faces] = measure(Path(scratch), crowd, index=options.index)
        print(faces, json.dumps(sizes[faces]), flush=True)
    figures = {"when": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "sizes": sizes}
    (options.directory / "bench-gallery.json").write_text(json.dumps(figures, indent=2))


def measure(directory: Path, crowd: Crowd, *, index: bool) -> dict[str, object]:
    """Fill a gallery, search it, and index it in a child."""
    faces, dimensions = crowd.templates.shape
    with closing(EdgeGallery(directory / "gallery")) as gallery:
        gallery.prepare(_VERSION, dimensions)
        began_s, before_mb = time.monotonic(), psutil.Process().memory_info().rss / 1e6
        for batch in crowd.points():
            gallery.upsert(_VERSION, batch)
        write_s = time.monotonic() - began_s
        memory_mb = psutil.Process().memory_info().rss / 1e6 - before_mb
        figures: dict[str, object] = {
            "load": os.getloadavg()[0],
            "writes_per_s": round(faces / write_s),
            "memory_bytes_a_face": round(1e6 * memory_mb / faces),
            "disk_bytes_a_face": round(_size_of(directory) / faces),
        }
        exact = search(gallery, crowd)
        figures["exact"] = exact.figures()
        figures["longest_pause_ms"] = longest_pause_ms(gallery, crowd)
    began_s = time.monotonic()
    with closing(EdgeGallery(directory / "gallery")):
        figures["open_s"] = round(time.monotonic() - began_s, 2)
    return {**figures, **(measure_index(directory, crowd, exact) if index else {})}


def measure_index(directory: Path, crowd: Crowd, exact: Answers) -> dict[str, object]:
    """Index the gallery in a child, and compare what it finds with what exact search found."""
    began_s = time.monotonic()
    program = "import sys, pathlib; from facefleet.gallery.edge_index import index_gallery as index; "
    command = [sys.executable, "-c", program + "index(pathlib.Path(sys.argv[1]))", str(directory / "gallery")]
    subprocess.run(command, check=True)
    index_s = time.monotonic() - began_s
    with closing(EdgeGallery(directory / "gallery")) as gallery:
        search(gallery, crowd)  # what a process that just started reads from the disk is no figure of the index
        indexed, above = search(gallery, crowd), search(gallery, crowd, USUAL_SIMILARITY_THRESHOLD)
        pause_ms = longest_pause_ms(gallery, crowd)
    return {
        "index_s": round(index_s, 1),
        "disk_bytes_a_face_indexed": round(_size_of(directory) / len(crowd.templates)),
        "indexed": indexed.figures(),
        "indexed_above_threshold": above.figures(),
        "longest_pause_ms_indexed": pause_ms,
        "recall_at_10": recall(indexed, exact, lambda *_: True),
        "recall_at_10_above_threshold": recall(
            above, exact, lambda _, each: each.similarity >= USUAL_SIMILARITY_THRESHOLD
        ),
        "recall_at_10_same_person": recall(indexed, exact, lambda probe, each: crowd.is_of_probe(probe, each.face_id)),
    }


def search(gallery: EdgeGallery, crowd: Crowd, min_similarity: float = -1) -> Answers:
    """Search with every probe, one after the other, in one album after the other."""
    latencies_ms, found, cpu_s = [], [], time.process_time()
    for number, probe in enumerate(crowd.probes):
        album_id = UUID(int=1 + number % crowd.albums)
        began_s = time.perf_counter()
        found.append(gallery.search(_VERSION, album_id, probe, limit=_TOP, min_similarity=min_similarity))
        latencies_ms.append(1000 * (time.perf_counter() - began_s))
    return Answers(latencies_ms, 1000 * (time.process_time() - cpu_s) / len(found), found)


def recall(indexed: Answers, exact: Answers, counts: Callable[[int, GalleryMatch], bool]) -> float:
    """Share of what exact search finds that the index finds too: mean over the probes for which there is anything.

    Args:
        indexed: what the index found.
        exact: what there is.
        counts: whether a match of a probe (by number) is asked for at all.
    """
    shares = []
    for probe, (some, every) in enumerate(zip(indexed.found, exact.found, strict=True)):
        wanted = {match.face_id for match in every if counts(probe, match)}
        if wanted:
            shares.append(len(wanted & {match.face_id for match in some}) / len(wanted))
    return round(float(np.mean(shares)), 4)


def longest_pause_ms(gallery: EdgeGallery, crowd: Crowd) -> float:
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
        writing = pool.submit(_write_beside, gallery, crowd.templates.shape[1])
        pool.submit(search, gallery, crowd).result()
        writing.result()
    ended.set()
    watcher.join()
    return round(max(late_ms), 1)


def _write_beside(gallery: EdgeGallery, dimensions: int) -> None:
    """Write faces into an album that nobody searches."""
    elsewhere = UUID(int=0)
    drawn, _ = draw_faces(_FACES_BESIDE, dimensions, USUAL_SPREAD, seed=2)
    points = [
        GalleryPoint(
            uuid5(elsewhere, f"face {row}"), elsewhere, uuid5(elsewhere, str(row // FACES_PER_PHOTO)), template
        )
        for row, template in enumerate(drawn.templates)
    ]
    gallery.upsert(_VERSION, points)


def _size_of(directory: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in directory.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
