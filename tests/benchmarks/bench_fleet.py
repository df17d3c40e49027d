"""`make bench-fleet`: a whole fleet of processes on two cores indexes an album of many keys out of S3.

Redis, PostgreSQL, S3 over HTTP, api, dispatcher and worker all share the two cores. A few hundred distinct photos lie
under all the keys; every key is fetched, decoded, detected, embedded and written.
"""

import json
import os
import threading
import time
import urllib.request
from itertools import cycle, islice
from pathlib import Path

import psutil
import pytest

from tests.benchmarks.albums import CHECKOUT, prepare_album
from tests.fixtures.keys import MASTER_SECRET, make_key
from tests.fixtures.processes import Processes, clean_environment, free_port, run_facefleet, wait_until
from tests.fixtures.s3 import S3Client

KEYS = int(os.environ.get("KEYS", "10000"))
DISTINCT = int(os.environ.get("DISTINCT", "300"))
CORES = int(os.environ.get("CORES", "2"))
PACK = os.environ.get("PACK", "demo")


@pytest.fixture(scope="session", autouse=True)
def two_cores() -> None:
    """Every server and process of the benchmark inherits these cores."""
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[-CORES:]))


@pytest.fixture
def album() -> Path:
    if PACK != "demo":
        return prepare_album(CHECKOUT / ".bench", DISTINCT)
    directory = CHECKOUT / ".bench" / f"drawn-{DISTINCT}"
    if not directory.is_dir():
        from demo.album import draw_album  # noqa: PLC0415  only this branch draws

        draw_album(directory, photos=DISTINCT, people=25, seed=1, processes=CORES)
    return directory


@pytest.fixture
def servers(redis_url: str, fresh_postgres_url: str, s3_endpoint: str) -> dict[str, str]:
    return {"broker_url": redis_url, "ledger_url": fresh_postgres_url, "s3_endpoint_url": s3_endpoint}


def put_photos(client: S3Client, bucket: str, album: Path) -> None:
    photos = [path.read_bytes() for path in sorted(album.glob("*.jpg"))]
    for number, photo in enumerate(islice(cycle(photos), KEYS)):
        client.put_object(Bucket=bucket, Key=f"albums/many/{number:05d}.jpg", Body=photo)


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.timeout(3600)
def test_ten_thousand_keys(
    album: Path,
    processes: Processes,
    servers: dict[str, str],
    s3_client: S3Client,
    s3_bucket: str,
    tmp_path: Path,
) -> None:
    put_photos(s3_client, s3_bucket, album)
    url = f"http://127.0.0.1:{free_port()}"
    env = clean_environment(
        data_dir=str(tmp_path / "fleet"),
        model_pack=PACK,
        cpu_threads=str(CORES),
        master_secret=MASTER_SECRET,
        **servers,
    )
    processes.start("api", "--port", url.rpartition(":")[2], env=env)
    processes.start("dispatcher", env=env)
    worker = processes.start("worker", env=env)
    wait_until(lambda: is_ready(url), "the api is ready")

    memory_mb: list[tuple[float, float]] = []
    ended = threading.Event()

    def watch_memory() -> None:
        while not ended.wait(5):
            main = psutil.Process(worker.pid)
            # Proportional: pixels in shared memory count once, not in the worker and its decoding children both.
            whole = [each.memory_full_info() for each in (main, *main.children(recursive=True)) if each.is_running()]
            memory_mb.append((whole[0].rss / 1e6, sum(each.pss for each in whole) / 1e6))

    watcher = threading.Thread(target=watch_memory)
    watcher.start()
    key = make_key(servers["ledger_url"])
    caller = clean_environment(server=url, api_key=key, data_dir=str(tmp_path / "caller"))
    source = f"s3://{s3_bucket}/albums/many/"
    started = time.monotonic()
    job = run_facefleet("index", source, "--album", "many", "--json", "--no-wait", env=caller, cwd=tmp_path)
    job_id = json.loads(job.stdout)["job_id"]

    def progress() -> dict[str, float]:
        asked = urllib.request.Request(f"{url}/v1/jobs/{job_id}", headers={"X-Api-Key": key})
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return dict(json.load(answer))

    wait_until(lambda: progress()["state"] in ("done", "failed"), "the album is done", within_s=3000)
    ended.set()
    watcher.join()
    result = progress()
    print(f"\n{result['indexed']} of {result['photos']} photos, {result['faces']} faces, {result['dead']} dead")
    print(f"{time.monotonic() - started:.0f} s on {CORES} cores, {result['photos'] / result['seconds']:.1f} photos/s")
    for name, values in zip(("RSS of the worker", "PSS with its children"), zip(*memory_mb, strict=True), strict=True):
        middle, last = values[len(values) // 2], values[-1]
        print(f"{name}: {middle:.0f} MB halfway, {last:.0f} MB at the end, {max(values):.0f} MB at most")
    assert result["indexed"] == KEYS
