"""The three that are compared, each started once and given the same album in turn: loading is not in the rates."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Protocol

from celery import Celery

from tests.benchmarks.measuring import cpu_s_of, memory_mb_of, tree_of
from tests.fixtures.processes import FACEFLEET, clean_environment, wait_until

CONTROL = Path(__file__).parent / "control"
_PATIENCE_S = 600
#: As often as whoever follows a job is told; asked ten times a second, a fortieth of a photo's CPU went to answers.
_FOLLOW_S = 0.5


@dataclass(frozen=True)
class Round:
    """One side, once over the album."""

    photos: int
    faces: int
    wall_s: float
    cpu_s: float

    @property
    def per_second(self) -> float:
        """Photos a second."""
        return self.photos / self.wall_s

    @property
    def per_cpu_second(self) -> float:
        """Photos for a second of CPU, of the side's processes only."""
        return self.photos / self.cpu_s


class Side(Protocol):
    """Something that finds the faces of an album."""

    def index(self, album: Path) -> Round:
        """Work on every photo once."""


@contextmanager
def _started(
    command: Sequence[str], cores: set[int], env: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process on some cores, with everything that it prints for people in a file."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),  # noqa: PLW1509  no threads were started yet
        )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


class FacefleetSide:
    """`facefleet up`: everything in one process."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self.url = url
        self._process = process
        self._numbers = count()

    def cpu_s(self) -> float:
        """CPU seconds of the server and its decoding children so far."""
        return cpu_s_of(tree_of(self._process.pid))

    def memory_mb(self) -> float:
        """Memory of the same."""
        return memory_mb_of(tree_of(self._process.pid))

    def begin(self, album: Path) -> str:
        """Have an album indexed under a name of its own; returns the job."""
        name = f"album-{next(self._numbers)}"
        self._call("albums", {"name": name})
        return str(self._call(f"albums/{name}/index", {"source": album.resolve().as_uri()})["job_id"])

    def progress(self, job: str) -> dict[str, float]:
        """How far a job is."""
        return self._call(f"jobs/{job}")

    def index(self, album: Path) -> Round:
        """Index an album and wait for its end."""
        return self.index_all([album])

    def index_all(self, albums: Sequence[Path]) -> Round:
        """Index albums at once; the clock runs from the first request to the last photo, as the ledger knows them."""
        cpu_s, began_s = self.cpu_s(), time.monotonic()
        begun = [(time.monotonic() - began_s, self.begin(album)) for album in albums]
        for _, job in begun:
            wait_until(partial(self.is_over, job), "indexed", _PATIENCE_S, _FOLLOW_S)
        cpu_s = self.cpu_s() - cpu_s
        ended = [(at_s, self.progress(job)) for at_s, job in begun]
        photos, faces = (sum(int(last[what]) for _, last in ended) for what in ("indexed", "faces"))
        return Round(photos, faces, max(at_s + last["seconds"] for at_s, last in ended), cpu_s)

    def wait_until_grouped(self, albums: Sequence[str]) -> None:
        """Wait until the faces of albums are people."""

        def is_grouped(album: str) -> bool:
            return str(self._call(f"albums/{album}/people/cluster")["state"]) == "done"

        wait_until(lambda: all(map(is_grouped, albums)), "faces are grouped", _PATIENCE_S, 0.5)

    def group(self, albums: Sequence[str]) -> None:
        """Have the faces of albums grouped anew."""
        for album in albums:
            self._call(f"albums/{album}/people/cluster", {})

    def is_over(self, job: str) -> bool:
        """Whether a job has ended."""
        return self.progress(job)["state"] in ("done", "failed")

    def _call(self, path: str, body: dict[str, str] | None = None) -> dict[str, float]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/v1/{path}", data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return dict(json.load(answer))


@contextmanager
def facefleet_side(
    pack: Path, cores: set[int], data_dir: Path, log: Path, *, min_face_px: float = 0
) -> Iterator[FacefleetSide]:
    """Start Facefleet, wait until its models are loaded, and give its address."""
    settings = {"model_pack": str(pack), "cpu_threads": str(len(cores)), "min_face_px": str(min_face_px)}
    env = clean_environment(data_dir=str(data_dir), log_level="error", **settings)
    published = data_dir / "server.json"
    with _started([str(FACEFLEET), "up", "--port", "0"], cores, env, log) as process:
        wait_until(lambda: published.exists() or process.poll() is not None, "facefleet up", _PATIENCE_S)
        if process.poll() is not None:
            raise SystemExit(log.read_text())
        yield FacefleetSide(process, json.loads(published.read_text())["url"])


class LoopSide:
    """The loop over FaceAnalysis, told an album a line."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def index(self, album: Path) -> Round:
        """Run the loop over an album."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{album}\n".encode())
        self._process.stdin.flush()
        return Round(**json.loads(self._process.stdout.readline()))


@contextmanager
def loop_side(pack: Path, cores: set[int], log: Path) -> Iterator[LoopSide]:
    """Start the loop's process."""
    command = [sys.executable, str(CONTROL / "face_analysis_loop.py"), str(pack)]
    with _started(command, cores, dict(os.environ), log) as process:
        yield LoopSide(process)


class CelerySide:
    """The naive worker: Celery's prefork pool, a photo a task."""

    def __init__(self, process: subprocess.Popen[bytes], app: Celery) -> None:
        self._process = process
        self._app = app

    def index(self, album: Path) -> Round:
        """Send a task for each photo and wait for all."""
        photos = sorted(album.glob("*.jpg"))
        cpu_s, began_s = cpu_s_of(tree_of(self._process.pid)), time.monotonic()
        sent = [self._app.send_task("count_faces", [str(photo)]) for photo in photos]
        faces = sum(each.get(timeout=_PATIENCE_S) for each in sent)
        wall_s = time.monotonic() - began_s
        return Round(len(photos), faces, wall_s, cpu_s_of(tree_of(self._process.pid)) - cpu_s)


@contextmanager
def celery_side(pack: Path, cores: set[int], redis_url: str, log: Path) -> Iterator[CelerySide]:
    """Start the naive worker and let both of its processes load their models."""
    env = dict(os.environ) | {"NAIVE_REDIS": redis_url, "NAIVE_PACK": str(pack)}
    program = ["-m", "celery", "--workdir", str(CONTROL), "-A", "celery_prefork", "worker", "-c", str(len(cores))]
    app = Celery("bench", broker=redis_url, backend=redis_url)
    with _started([sys.executable, *program], cores, env, log) as process, closing(app):
        wait_until(lambda: log.read_text().count("model loaded") == len(cores), "the naive worker", _PATIENCE_S)
        yield CelerySide(process, app)
