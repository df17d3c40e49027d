"""Flower as a process sees the tasks of a fleet on Redis, behind its own password."""

import base64
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from facefleet.settings import Settings
from tests.fixtures.processes import clean_environment, free_port, wait_until
from tests.integration.workers.conftest import Bench, bench  # noqa: F401  a fixture
from workers.celery_app import create_celery_app
from workers.tasks import register_tasks, send_index_photos
from workers.worker import worker_in_thread

PASSWORD = "test:secret"


def ask(url: str, password: str = PASSWORD) -> Any:  # noqa: ANN401  JSON
    token = base64.b64encode(password.encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


@pytest.fixture
def flower_url(redis_url: str, tmp_path: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "celery", "--app", "workers.flower_app", "flower"]
    log = tmp_path / "flower.log"
    with log.open("wb") as output:
        flower = subprocess.Popen(
            [*command, "--address=127.0.0.1", f"--port={port}"],
            env=clean_environment(broker_url=redis_url) | {"FLOWER_BASIC_AUTH": PASSWORD, "FLOWER_READ_ONLY": "true"},
            cwd=Path(__file__).parents[2],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: flower.poll() is not None or answers(f"{url}/api/tasks"), "Flower answers")
        assert flower.poll() is None, log.read_text()
        yield url
    finally:
        os.kill(flower.pid, signal.SIGTERM)
        flower.wait(timeout=20)


def answers(url: str) -> bool:
    try:
        ask(url)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    return True


def test_flower_shows_tasks_with_their_album_and_queue_depths(bench: Bench, redis_url: str, flower_url: str) -> None:  # noqa: F811  the fixture of that name
    with pytest.raises(urllib.error.HTTPError, match="401"):
        ask(f"{flower_url}/api/tasks", "test:wrong")
    settings = Settings(broker_url=redis_url, cpu_threads=1, data_dir=bench.parts.settings.data_dir)
    app = create_celery_app(settings)
    register_tasks(app, bench.indexer)
    album_id = uuid4()
    send_index_photos(app, "facefleet-index", album_id, [uuid4()])
    depths = {each["name"]: each["messages"] for each in ask(f"{flower_url}/api/queues/length")["active_queues"]}
    assert depths == {
        "facefleet-index": 1,
        "facefleet-interactive": 0,
        "facefleet-people": 0,
        "facefleet-maintenance": 0,
    }
    with worker_in_thread(app, settings):

        def seen() -> list[Any]:
            tasks = ask(f"{flower_url}/api/tasks").values()
            return [each for each in tasks if each["state"] == "SUCCESS" and str(album_id) in each["kwargs"]]

        wait_until(lambda: bool(seen()), "Flower shows the task")
        assert seen()[0]["name"] == "facefleet.index_photos"
