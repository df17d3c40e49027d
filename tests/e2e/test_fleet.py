"""The fleet as separate processes on Redis, PostgreSQL and S3 gives the same faces as one process on a folder."""

import json
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import pytest

from demo.album import draw_album
from tests.fixtures.processes import Processes, clean_environment, free_port, run_facefleet, wait_until

PHOTOS = 24


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("album")
    draw_album(directory, photos=PHOTOS, people=6, seed=11)
    return directory


def faces_of(env: dict[str, str], cwd: Path) -> list[tuple[str, list[int]]]:
    answer = run_facefleet("faces", "--album", "party", "--json", env=env, cwd=cwd)
    assert answer.returncode == 0, answer.stderr
    return sorted(
        (each["photo"].rsplit("/")[-1], [round(edge) for edge in each["box"]]) for each in json.loads(answer.stdout)
    )


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def test_fleet_finds_the_same_faces_as_one_process(
    album: Path,
    processes: Processes,
    redis_url: str,
    fresh_postgres_url: str,
    s3_endpoint: str,
    s3_bucket: str,
    tmp_path: Path,
) -> None:
    client = boto3.client("s3", endpoint_url=s3_endpoint)
    for path in album.glob("*.jpg"):
        client.upload_file(str(path), s3_bucket, f"albums/party/{path.name}")
    url = f"http://127.0.0.1:{free_port()}"
    fleet = clean_environment(
        data_dir=str(tmp_path / "fleet"),
        model_pack="demo",
        ledger_url=fresh_postgres_url,
        broker_url=redis_url,
        s3_endpoint_url=s3_endpoint,
        cpu_threads="1",
    )
    processes.start("api", "--port", url.rpartition(":")[2], env=fleet)
    processes.start("dispatcher", env=fleet)
    processes.start("worker", env=fleet)
    processes.start("worker", env=fleet)
    wait_until(lambda: is_ready(url), "the api is ready")

    caller = clean_environment(server=url, data_dir=str(tmp_path / "caller"))
    indexed = run_facefleet(
        "index", f"s3://{s3_bucket}/albums/party/", "--album", "party", "--json", env=caller, cwd=tmp_path
    )
    assert indexed.returncode == 0, indexed.stderr + processes.logs()
    assert json.loads(indexed.stdout)["indexed"] == PHOTOS

    alone = clean_environment(data_dir=str(tmp_path / "alone"), model_pack="demo")
    assert run_facefleet("index", str(album), "--album", "party", "--json", env=alone, cwd=tmp_path).returncode == 0
    of_fleet = faces_of(caller, tmp_path)
    assert of_fleet == faces_of(alone, tmp_path)
    assert len(of_fleet) > PHOTOS / 2

    for process in processes.running:
        assert process.poll() is None, processes.logs()
    processes.stop_all()
    assert [process.returncode for process in processes.running] == [0, 0, 0, 0], processes.logs()
