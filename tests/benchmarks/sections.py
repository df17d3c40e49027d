"""The parts of `make bench`. Each returns figures that JSON can hold."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from facefleet.recognition.face_models import load_models
from facefleet.recognition.model_pack import find_model_pack
from facefleet.recognition.runtimes import choose_runtime
from facefleet.settings import Settings
from tests.benchmarks.accuracy import measure_accuracy, run_loop
from tests.benchmarks.albums import CHECKOUT, make_selfies
from tests.benchmarks.crowd import ALBUM, ALBUMS, fill_crowd
from tests.benchmarks.measuring import Spread
from tests.benchmarks.searches import search_at_rate, search_closed_loop
from tests.benchmarks.sides import CONTROL, FacefleetSide, Round, Side, celery_side, facefleet_side, loop_side
from tests.benchmarks.stages import measure_stages
from tests.fixtures.processes import clean_environment
from tests.fixtures.redis import running_redis

Figures = dict[str, Any]
_SELFIES = 24
_STAGE_PHOTOS = 30
_SEARCH_S = 15
_SEARCHES_PER_S = 10
#: What `facefleet up` is told of the smallest face, by the name of the side: from 180 on, it decodes photos of 12
#: megapixels at half their size. Every face of the album is larger.
OURS = {"facefleet": 0, "facefleet_large": 180}


@dataclass(frozen=True)
class Bench:
    """What is measured, and where."""

    pack: Path
    album: Path
    #: Of every side.
    cores: set[int]
    #: Of those who ask.
    other_cores: set[int]
    rounds: int
    #: In ten albums, of which one is searched.
    faces: int


def compare_sides(bench: Bench) -> Figures:
    """Give the same album to each side in turn, and compare round by round: as it comes, and for large faces only."""
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        home = Path(scratch)
        ours = {
            name: stack.enter_context(
                facefleet_side(bench.pack, bench.cores, home / name, home / f"{name}.log", min_face_px=min_face_px)
            )
            for name, min_face_px in OURS.items()
        }
        redis_url = stack.enter_context(running_redis(home))
        sides: dict[str, Side] = ours | {
            "loop": stack.enter_context(loop_side(bench.pack, bench.cores, home / "loop.log")),
            "celery": stack.enter_context(celery_side(bench.pack, bench.cores, redis_url, home / "celery.log")),
        }
        for side in sides.values():
            side.index(bench.album)  # warm: shapes compiled, children forked, files in memory
        rounds: dict[str, list[Round]] = {name: [] for name in sides}
        for number in range(bench.rounds):
            for name in sorted(sides, reverse=bool(number % 2)):
                rounds[name].append(sides[name].index(bench.album))
        figures: Figures = {name: {"rounds": [asdict(each) for each in rounds[name]]} for name in sides}
        for name, side in ours.items():
            figures[name] |= {"memory_mb": side.memory_mb()} | _ratios(rounds[name], rounds)
            # Several at once: what the first and the last photos of an album cost hardly counts.
            figures[name]["long"] = asdict(side.index_all([bench.album] * bench.rounds))
    theirs = run_loop(bench.pack, bench.album)
    for name, min_face_px in OURS.items():
        accuracy = measure_accuracy(bench.pack, bench.album, len(bench.cores), theirs, min_face_px=min_face_px)
        figures[name]["accuracy"] = asdict(accuracy)
    return figures


def _ratios(ours: Sequence[Round], rounds: Mapping[str, Sequence[Round]]) -> Figures:
    figures: Figures = {}
    for other in ("loop", "celery"):
        pairs = list(zip(ours, rounds[other], strict=True))
        figures[f"{other}_wall_ratio"] = asdict(Spread.of(one.per_second / two.per_second for one, two in pairs))
        figures[f"{other}_cpu_ratio"] = asdict(Spread.of(one.per_cpu_second / two.per_cpu_second for one, two in pairs))
    return figures


def count_stages(bench: Bench) -> Figures:
    """Run the stages alone on one of the cores."""
    with _on_cores({max(bench.cores)}):
        return measure_stages(bench.pack, bench.album, _STAGE_PHOTOS)


def measure_searches(bench: Bench) -> Figures:
    """Search an album of a tenth of the faces: idle, by many at once, by far too many, beside full indexing, and
    beside the grouping of all faces."""
    with tempfile.TemporaryDirectory() as scratch, _on_cores(bench.other_cores):
        home = Path(scratch)
        settings = Settings(model_pack=str(bench.pack), device="cpu", cpu_threads=1)
        pack = find_model_pack(settings)
        dimensions = load_models(pack, choose_runtime(settings), settings.detection_size_px).dimensions
        fill_crowd(home / "data", pack.model_version, dimensions, bench.faces)
        selfies = list(islice(cycle(make_selfies(bench.album, _SELFIES)), _SELFIES))
        with facefleet_side(bench.pack, bench.cores, home / "data", home / "log") as ours:
            ours.wait_until_grouped(ALBUMS)
            search_closed_loop(ours.url, ALBUM, selfies, 2, 5)  # warm
            idle = search_at_rate(ours.url, ALBUM, selfies, _SEARCHES_PER_S, lambda at_s: at_s < _SEARCH_S)
            alone = search_closed_loop(ours.url, ALBUM, selfies, 1, 5)
            cpu_s = ours.cpu_s()
            fifty = search_closed_loop(ours.url, ALBUM, selfies, 50, _SEARCH_S)
            cpu_ms = 1000 * (ours.cpu_s() - cpu_s) / len(fifty.latencies_ms)
            crowd = search_closed_loop(ours.url, ALBUM, selfies, 200, _SEARCH_S)
            beside = _search_beside_indexing(ours, bench, selfies)
            ours.group(ALBUMS)
            grouping = search_at_rate(ours.url, ALBUM, selfies, _SEARCHES_PER_S, lambda at_s: at_s < _SEARCH_S)
    return {
        "idle": idle.figures(),
        "alone": alone.figures(),
        "fifty": fifty.figures() | {"cpu_ms": round(cpu_ms, 1)},
        "two_hundred": crowd.figures(),
        "beside_indexing": beside,
        "beside_grouping": grouping.figures(),
    }


def _search_beside_indexing(ours: FacefleetSide, bench: Bench, selfies: list[bytes]) -> Figures:
    cpu_s = ours.cpu_s()
    jobs = [ours.begin(bench.album) for _ in range(4)]
    load = search_at_rate(ours.url, ALBUM, selfies, _SEARCHES_PER_S, lambda at_s: at_s < _SEARCH_S)
    indexed = sum(ours.progress(job)["indexed"] for job in jobs)
    busy = (ours.cpu_s() - cpu_s) / load.seconds / len(bench.cores)
    figures = load.figures() | {"photos_per_s": indexed / load.seconds, "cores_busy": busy}
    if all(ours.is_over(job) for job in jobs):
        figures["warning"] = "indexing ended before the searches did"
    return figures


def time_starts(bench: Bench) -> Figures:
    """Time whole processes from their start to the first template of a photo, in turn."""
    photo = min(bench.album.glob("*.jpg"))
    sides = {
        "facefleet": (
            "from facefleet.settings import Settings; from facefleet.recognition.starting import load_recognizer; "
            f"r = load_recognizer(Settings(model_pack={str(bench.pack)!r}, device='cpu', cpu_threads=2)); "
            f"print(len(r.recognize(open({str(photo)!r}, 'rb').read()).faces)); r.close()"
        ),
        "loop": (
            f"import sys; sys.path.insert(0, {str(CONTROL)!r}); from pathlib import Path; import cv2; "
            "from own_cores import keep_to_own_cores; keep_to_own_cores(); from face_analysis_loop import load; "
            f"print(len(load(Path({str(bench.pack)!r})).get(cv2.imread({str(photo)!r}))))"
        ),
    }
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    with _on_cores(bench.cores):
        for _ in range(bench.rounds + 1):
            for name, program in sides.items():
                spent[name].append(_time_start(program))
    figures: Figures = {}
    for unit, each in (("s", 0), ("cpu_s", 1)):
        of_side = {name: [start[each] for start in starts[1:]] for name, starts in spent.items()}
        pairs = list(zip(of_side["facefleet"], of_side["loop"], strict=True))
        ratio = Spread.of(one / other for one, other in pairs)
        figures |= {f"{name}_{unit}": asdict(Spread.of(values)) for name, values in of_side.items()}
        figures[f"ratio_{unit}"] = asdict(ratio)
    return figures


def _time_start(program: str) -> tuple[float, float]:
    """Run a whole process of Python; return its wall and its CPU seconds, those of its children included."""
    before, began_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    # As installed: bytecode of either side is kept.
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, env=clean_environment())
    wall_s, after = time.monotonic() - began_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def count_ledger(bench: Bench) -> Figures:
    """Run a real dispatcher and worker on Redis and PostgreSQL with nothing to recognize."""
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:logging", "tests/benchmarks/bench_ledger.py"]
    with _on_cores(bench.cores):
        run = subprocess.run(
            command, check=True, capture_output=True, text=True, cwd=CHECKOUT, env=os.environ | {"PHOTOS": "2000"}
        )
    spent = next(line for line in run.stdout.splitlines() if line.startswith("{"))
    return dict(json.loads(spent))


@contextmanager
def _on_cores(cores: set[int]) -> Iterator[None]:
    """Keep this thread, and what it starts, on some cores for as long as the block lasts."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
