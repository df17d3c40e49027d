"""`make restore-drill`: back up a fleet's ledger, lose ledger and gallery, restore, and search as before."""

import importlib.util
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from demo.album import draw_album, draw_selfie, write_jpeg
from tests.e2e.composed_fleet import ComposedFleet
from tests.e2e.drawn_album import all_faces, as_faces
from tests.fixtures.processes import Processes, clean_environment, run_facefleet, wait_until
from tests.fixtures.s3 import S3Client

PHOTOS = 60
BUCKET = "photos"


@pytest.fixture
def fleet(
    processes: Processes, fresh_postgres_url: str, redis_url: str, s3_endpoint: str, tmp_path: Path
) -> ComposedFleet:
    return ComposedFleet(processes, fresh_postgres_url, redis_url, s3_endpoint, tmp_path)


def start_fleet(fleet: ComposedFleet) -> str:
    fleet.make_bucket()
    api, _, _ = (fleet.start(name) for name in ("api", "dispatcher", "worker"))
    fleet.wait_until_ready()
    return api


def run_postgres(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs: from PATH, else the one in the package pgserver."""
    package = importlib.util.find_spec("pgserver")
    packaged = (
        [Path(each) / "pginstall/bin" / program for each in (package.submodule_search_locations or [])]
        if package
        else []
    )
    found = shutil.which(program) or packaged[0]
    done = subprocess.run([found, *arguments], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def search(api: httpx.Client, image: bytes) -> list[tuple[str, float]]:
    answer = api.post("/v1/albums/party/search", content=image, headers={"Content-Type": "image/jpeg"}, timeout=60)
    [face] = answer.raise_for_status().json()["faces"]
    return [(each["photo"], round(each["similarity"], 4)) for each in face["candidates"]]


def summary(api: httpx.Client) -> dict[str, Any]:
    return dict(api.get("/v1/albums/party", timeout=10).raise_for_status().json())


def test_restore(
    processes: Processes,
    fleet: ComposedFleet,
    s3_client: S3Client,
    connect: Callable[[str, str], httpx.Client],
    tmp_path: Path,
) -> None:
    truth = draw_album(tmp_path / "album", photos=PHOTOS + 1, people=8, seed=17)
    *photos, late = sorted((tmp_path / "album").glob("*.jpg"))
    write_jpeg(tmp_path / "selfie.jpg", draw_selfie(truth.person_seeds["Ada"], 1))
    image = (tmp_path / "selfie.jpg").read_bytes()
    caller = clean_environment(data_dir=str(tmp_path / "caller"))

    url = start_fleet(fleet)
    key = fleet.make_key(tmp_path)
    api = connect(url, key)
    caller |= {"FACEFLEET_API_KEY": key}
    for path in photos:
        s3_client.upload_file(str(path), BUCKET, f"albums/party/{path.name}")
    source = f"s3://{BUCKET}/albums/party/"
    indexed = run_facefleet(
        "index", source, "--album", "party", "--json", env=caller | {"FACEFLEET_SERVER": url}, cwd=tmp_path
    )
    assert json.loads(indexed.stdout)["indexed"] == PHOTOS
    faces, found = as_faces(all_faces(api, "party")), search(api, image)
    assert found

    # The backup, and a photo that came after it; then everything but the photos is lost.
    database = fleet.ledger_url.replace("+psycopg", "")
    server, name = database.rpartition("/")[0], urlsplit(database).path.strip("/")
    dump = str(tmp_path / "ledger.dump")
    began = time.monotonic()
    run_postgres("pg_dump", "--format=custom", f"--file={dump}", database)
    print(f"dump: {time.monotonic() - began:.1f} s, {Path(dump).stat().st_size / 1e3:.0f} kB")
    s3_client.upload_file(str(late), BUCKET, f"albums/party/{late.name}")
    processes.stop_all()
    processes.running.clear()
    run_postgres("dropdb", f"--maintenance-db={server}/postgres", name)
    shutil.rmtree(fleet.data_dir)

    began = time.monotonic()
    run_postgres("createdb", f"--maintenance-db={server}/postgres", name)
    run_postgres("pg_restore", f"--dbname={database}", "--exit-on-error", dump)
    print(f"restore of the ledger: {time.monotonic() - began:.1f} s")
    began = time.monotonic()
    url = start_fleet(replace(fleet, urls={}))
    api = connect(url, key)  # its hash was in the backup
    rebuilt = run_facefleet("rebuild", env=caller | {"FACEFLEET_SERVER": url}, cwd=tmp_path)
    assert rebuilt.returncode == 0, rebuilt.stderr
    print(rebuilt.stderr.strip())
    wait_until(lambda: summary(api)["indexed"] == PHOTOS + 1, "all photos are indexed, the late one too", 300)
    print(f"fleet started and gallery rebuilt: {time.monotonic() - began:.1f} s")

    now = as_faces(all_faces(api, "party"))
    assert [each for each in now if each[0] != late.name] == faces
    assert [each for each in search(api, image) if not each[0].endswith(late.name)] == found
    print(f"{len(found)} candidates as before, and {len(now) - len(faces)} faces of the photo after the backup")
