"""`make bench-people`: how well, how fast and in how much memory faces become people, on two cores.

Albums of real people need the faces and models beside the checkout; drawn and synthetic ones need nothing. Albums are
made once, into a folder, as are the faces that are found in them.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from facefleet.people.clustering import ClusterSettings
from facefleet.people.face_set import FaceSet, IntArray
from facefleet.recognition.similarity import usual_curve
from tests.benchmarks.people_albums import (
    CHECKOUT,
    CORES,
    SHARED,
    LabelledFaces,
    composed_album,
    drawn_album,
    recognize_album,
)
from tests.benchmarks.people_arrivals import Arrivals, arrive_in_any_order, cluster_album
from tests.benchmarks.people_synthetic import USUAL_SPREAD, draw_faces, measure_spread

#: The constants of clustering were chosen on these and the drawn album; others tell whether they hold: --seeds 5 6
SEEDS = [1, 2, 3, 4]
ORDERS = (1, 2, 3)
PACKS = ("scrfd500m-mbf128", "scrfd2.5g-mbf128")
SCALES = ((1_000, 128), (1_000, 512), (10_000, 128), (100_000, 128), (100_000, 512))
NEW_FACES = 100


def main() -> None:
    """Run every part as a process of its own, and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, default=CHECKOUT / ".bench")
    parser.add_argument("--part", choices=["albums", "arrivals", "scale"])
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS, help="of the albums of real people")
    parser.add_argument("--faces", type=int, default=1_000)
    parser.add_argument("--dimensions", type=int, default=128)
    options = parser.parse_args()
    options.directory.mkdir(exist_ok=True)
    if options.part:
        print(json.dumps(PARTS[options.part](options)))
        return
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:CORES]))
    print_table("albums", run(options, "albums"))
    print_table("order of arrival", run(options, "arrivals"))
    scaled = [run(options, "scale", faces=faces, dimensions=dimensions) for faces, dimensions in SCALES]
    print_table("scale", [row for rows in scaled for row in rows])


def run(options: argparse.Namespace, part: str, **more: int) -> list[dict[str, Any]]:
    """One part, in a process that begins with the cores it may use: the libraries count them when they load."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_people", "--part", part]
    command += [
        "--directory",
        str(options.directory),
        "--seeds",
        *map(str, options.seeds),
        *(f"--{name}={value}" for name, value in more.items()),
    ]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def list_albums(options: argparse.Namespace) -> list[tuple[str, LabelledFaces]]:
    """Every album with every pack that knows its people."""
    albums = []
    if SHARED.is_dir():
        for pack in PACKS:
            model = str(SHARED / "models" / pack)
            albums += [
                (f"{pack} {s}", recognize_album(composed_album(options.directory, s), model)) for s in options.seeds
            ]
    albums.append(("drawn", recognize_album(drawn_album(options.directory), str(CHECKOUT / "demo" / "pack"))))
    return albums


def measure_albums(options: argparse.Namespace) -> list[dict[str, Any]]:
    """BCubed F1 beside that of HDBSCAN over the whole album."""
    rows = []
    for name, album in list_albums(options):
        began = time.monotonic()
        labels = cluster_album(album.faces, ClusterSettings(album.curve))
        seconds = time.monotonic() - began
        f1, precision, recall = bcubed(labels, album.people)
        rows.append(
            {
                "album": name,
                "faces": len(album.faces),
                "BCubed F1": f1,
                "precision": precision,
                "recall": recall,
                "HDBSCAN (3, 2) F1": bcubed(hdbscan(album.faces), album.people)[0],
                "clusters": int(labels.max()) + 1,
                "noise": int((labels < 0).sum()),
                "twice in a photo": count_twice(labels, album.faces.photos),
                "seconds": seconds,
            }
        )
    return rows


def measure_arrivals(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Labels of faces that came one after the other, beside those of all at once."""
    rows = []
    for name, album in list_albums(options):
        settings = ClusterSettings(album.curve)
        at_once = cluster_album(album.faces, settings)
        alone = np.where(at_once < 0, len(at_once) + np.arange(len(at_once)), at_once)
        for share in (0.6, 0.05):
            orders = ORDERS if len(album.faces) < 1_000 else ORDERS[:1]
            each = [arrive_in_any_order(album.faces, settings, seed=seed, share_at_once=share) for seed in orders]
            rows.append(
                {
                    "album": name,
                    "at once": share,
                    "orders": len(orders),
                    "F1": float(np.mean([bcubed(labels, album.people)[0] for labels in each])),
                    "F1 at once": bcubed(at_once, album.people)[0],
                    "agreement": float(np.mean([bcubed(labels, alone)[0] for labels in each])),
                    "least agreement": min(bcubed(labels, alone)[0] for labels in each),
                    "twice in a photo": sum(count_twice(labels, album.faces.photos) for labels in each),
                }
            )
    return rows


def measure_scale(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Seconds and peak memory for synthetic faces, and for some more."""
    spread = USUAL_SPREAD
    if SHARED.is_dir():
        real = recognize_album(composed_album(options.directory, SEEDS[2]), str(SHARED / "models" / PACKS[0]))
        spread = measure_spread(real.faces, real.people)
    faces, people = draw_faces(options.faces + NEW_FACES, options.dimensions, spread)
    settings = ClusterSettings(usual_curve(0.3))
    album = Arrivals(faces, settings)
    began, cpu_began = time.monotonic(), time.process_time()
    album.cluster(np.arange(options.faces))
    seconds, cpu_s = time.monotonic() - began, time.process_time() - cpu_began
    clustered = album.labels[: options.faces].copy()
    began = time.monotonic()
    album.join(np.arange(options.faces, len(faces)))
    return [
        {
            "faces": options.faces,
            "dimensions": options.dimensions,
            "seconds": seconds,
            "CPU s": cpu_s,
            f"{NEW_FACES} more, s": time.monotonic() - began,
            "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
            "BCubed F1": bcubed(clustered, people[: options.faces])[0],
            "precision": bcubed(clustered, people[: options.faces])[1],
            "clusters": int(clustered.max()) + 1,
            "twice in a photo": count_twice(album.labels, faces.photos),
        }
    ]


PARTS: dict[str, Callable[[argparse.Namespace], list[dict[str, Any]]]] = {
    "albums": measure_albums,
    "arrivals": measure_arrivals,
    "scale": measure_scale,
}


def hdbscan(faces: FaceSet) -> IntArray:
    """The usual way: HDBSCAN over all distances."""
    from sklearn.cluster import HDBSCAN  # noqa: PLC0415  a second that only this part needs

    distances = np.clip(1.0 - (faces.templates @ faces.templates.T).astype(np.float64), 0.0, 2.0)
    search = HDBSCAN(min_cluster_size=3, min_samples=2, metric="precomputed", copy=False)
    return np.asarray(search.fit_predict(distances), np.int64)


def bcubed(labels: IntArray, people: IntArray) -> tuple[float, float, float]:
    """F1, precision and recall (Bagga and Baldwin, 1998); noise is alone."""
    alone = np.where(labels < 0, len(labels) + np.arange(len(labels)), labels)
    group, person = (np.unique(each, return_inverse=True)[1] for each in (alone, people))
    _, both, counts = np.unique(group * len(labels) + person, return_inverse=True, return_counts=True)
    precision, recall = (float((counts[both] / np.bincount(each)[each]).mean()) for each in (group, person))
    return 2 * precision * recall / (precision + recall), precision, recall


def count_twice(labels: IntArray, photos: IntArray) -> int:
    """Faces in a cluster that has another face of their photo."""
    clustered = labels >= 0
    keys = labels[clustered] * (int(photos.max()) + 1) + photos[clustered]
    return len(keys) - len(np.unique(keys))


def print_table(title: str, rows: list[dict[str, Any]]) -> None:
    """Markdown."""
    print(f"\n{title}, load average {os.getloadavg()[0]:.0f}\n\n| {' | '.join(rows[0])} |\n|{'---|' * len(rows[0])}")
    for row in rows:
        cells = (
            f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value
            for value in row.values()
        )
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
