"""What ledger and broker cost a photo: `pytest -s tests/benchmarks/bench_ledger.py`.

A real dispatcher and a real worker on Redis and PostgreSQL; photos are not read, not recognized and not written to a
gallery, so that what is left is listing, claiming, renewing, finishing (three faces each), sending and receiving. Who
waits for the album asks twice a second how far it is, as the command line does.
"""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import psutil
import pytest

from facefleet.face_records import Box, Detection, Quality, RecognizedFace, RecognizedPhoto
from facefleet.ledger.engine import open_ledger
from facefleet.metrics import Metrics
from facefleet.recognition.model_pack import ModelPack, find_model_pack
from facefleet.records import PhotoRef
from facefleet.settings import Settings
from tests.benchmarks.measuring import cpu_s_of
from tests.fixtures.packs import CHECKOUT
from tests.fixtures.processes import Processes, clean_environment, wait_until
from workers.parts import FleetParts
from workers.worker import run_worker

PHOTOS = int(os.environ.get("PHOTOS", "4000"))
FACES = 3
_DIMENSIONS = 128


class Nothing:
    """Gallery, store and recognizer in one: whatever is asked is done at once."""

    description, dimensions = "nothing", _DIMENSIONS

    def __init__(self, pack: ModelPack) -> None:
        self.pack, self.model_version = pack, pack.model_version
        template = np.full(_DIMENSIONS, _DIMENSIONS**-0.5, np.float32)
        detection = Detection(Box(1, 2, 30, 40), np.zeros((5, 2), np.float32), 0.9)
        self._found = RecognizedPhoto(
            1280, 960, (RecognizedFace(detection, template, Quality(0.5, 30, 1, 1, 0, 0, 0)),) * FACES
        )

    def read(self, *_: object) -> bytes:
        return b""

    def recognize(self, _: bytes) -> RecognizedPhoto:
        return self._found

    def prepare(self, *_: object) -> None:
        pass

    upsert = prepare


def work() -> None:
    """Be the worker."""
    settings = Settings()
    nothing = Nothing(find_model_pack(settings))
    with closing(open_ledger(settings.resolved_ledger_url)) as ledger:
        run_worker(
            FleetParts(
                settings=settings,
                ledger=ledger,
                gallery=nothing,  # type: ignore[arg-type]  all that a worker asks for
                stores=nothing,  # type: ignore[arg-type]  the same
                metrics=Metrics(),
                model_version=nothing.model_version,
                recognizer=nothing,  # type: ignore[arg-type]  the same
            )
        )


def servers_of(processes: tuple[str, ...]) -> list[psutil.Process]:
    """The servers that this benchmark started, with their children."""
    mine = psutil.Process().children(recursive=True)
    return [each for each in mine if each.name() in processes]


def require_running(worker: subprocess.Popen[bytes], log: Path) -> None:
    """Fail with the last words of a worker that ended."""
    if worker.poll() is not None:
        last_lines = log.read_text(errors="replace").splitlines()[-20:]
        pytest.fail("\n".join([f"the worker ended with status {worker.returncode}:", *last_lines]))


@pytest.mark.timeout(900)
def test_cpu_of_ledger_and_broker(
    processes: Processes, redis_url: str, fresh_postgres_url: str, tmp_path: Path
) -> None:
    chosen = {"ledger_url": fresh_postgres_url, "broker_url": redis_url, "model_pack": "demo"}
    # Grouping faces into people is no work of ledger and broker, and has no templates to work on here.
    chosen["worker_lanes"] = "interactive,index"
    env = clean_environment(**chosen, data_dir=str(tmp_path / "data"), log_format="json")
    dispatcher = processes.start("dispatcher", env=env)
    worker_log = tmp_path / "worker.log"
    with worker_log.open("wb") as output:
        command = [sys.executable, "-c", "from tests.benchmarks.bench_ledger import work; work()"]
        worker = subprocess.Popen(command, env=env, cwd=CHECKOUT, stdout=output, stderr=output)
    try:
        with closing(open_ledger(fresh_postgres_url)) as ledger:
            version = find_model_pack(Settings(model_pack="demo")).model_version
            album_id = ledger.albums.ensure("many").id

            def index(name: str, photos: int) -> None:
                refs = [PhotoRef(f"file:///{name}/{n}.jpg", f"{name}/{n}.jpg", "v", 1) for n in range(photos)]
                job = ledger.jobs.create(album_id, f"file:///{name}")
                for start in range(0, photos, 500):
                    ledger.jobs.add_photos(job.id, version, refs[start : start + 500])
                ledger.jobs.finish_listing(job.id)

                def is_done() -> bool:
                    require_running(worker, worker_log)
                    return ledger.jobs.progress(job.id).indexed == photos

                wait_until(is_done, "all photos are indexed", 600, 0.5)

            index("warm", 200)
            roles = {"dispatcher": [dispatcher.pid], "worker": [worker.pid]}
            roles["Redis"] = [each.pid for each in servers_of(("redis-server",))]
            roles["PostgreSQL"] = [each.pid for each in servers_of(("postgres",))]
            before = {role: cpu_s_of(map(psutil.Process, pids)) for role, pids in roles.items()}
            index("timed", PHOTOS)
            spent_s = {role: cpu_s_of(map(psutil.Process, pids)) - before[role] for role, pids in roles.items()}
            print("\nmilliseconds of CPU a photo:")
            print(json.dumps({role: round(1000 * each / PHOTOS, 2) for role, each in spent_s.items()}))
    finally:
        worker.terminate()
        worker.wait(60)
