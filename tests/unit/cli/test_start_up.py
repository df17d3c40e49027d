"""What processes load when they start: time that every search, command and new worker pays."""

import json
import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests.fixtures.processes import clean_environment

ENVIRONMENT = clean_environment()
HEAVY = {"typer", "rich", "pydantic", "numpy", "fastapi", "sqlalchemy", "celery", "httpx", "structlog", "boto3", "cv2"}


def modules_after(code: str) -> set[str]:
    return modules_after_each([code])[0]


def modules_after_each(steps: Sequence[str]) -> list[set[str]]:
    """Run them in one process; name what is loaded after each."""
    report = "print(json.dumps(list(sys.modules)))"
    program = "\n".join(["import json, sys", *(f"{step}\n{report}" for step in steps)])
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    return [{name.partition(".")[0] for name in json.loads(line)} for line in ran.stdout.splitlines()]


def test_search_loads_nothing_heavy() -> None:
    assert not HEAVY & modules_after("from cli.main import run; run(['search', 'no such file', '-a', 'a', '--json'])")


def test_other_commands_load_no_more_than_typer() -> None:
    loaded = modules_after("import cli.app")
    assert HEAVY & loaded == {"typer"}


#: Loaded where they are used, by nobody who merely starts: seconds and megabytes that most processes do without.
WHERE_USED = {"onnx", "onnxruntime", "openvino", "insightface", "nncf", "qdrant_client", "boto3", "alembic", "PIL"}
#: Loaded by nobody: what it is used for elsewhere takes a tenth of every start.
DONE_WITHOUT = {"pydantic_settings", "dotenv"}
FLEET = {"celery", "kombu"}
SERVER = {"fastapi", "uvicorn", "starlette"}


@pytest.mark.parametrize(
    "entries",
    [
        # Each loads all that the one before it does, so that one process shows them all.
        {
            "facefleet.recognition.sandbox_child": FLEET | SERVER | {"cv2", "pydantic", "structlog", "sqlalchemy"},
            "cli.dispatcher_process": SERVER | {"cv2", "httpx"},
            "cli.worker_process": SERVER | {"httpx", "redis"},
        },
        {"cli.server": FLEET | {"httpx", "redis"}, "cli.embedded": FLEET | {"httpx", "redis"}},
    ],
)
def test_processes_load_what_they_need(entries: dict[str, set[str]]) -> None:
    loaded = modules_after_each([f"import {entry}" for entry in entries])
    for entry, others, modules in zip(entries, entries.values(), loaded, strict=True):
        assert not (WHERE_USED | DONE_WITHOUT | others) & modules, entry


def test_logging_loads_nothing_for_terminals() -> None:
    block = "from cli.loading import loading\nwith loading(): from facefleet.logs import configure_logging"
    loaded = modules_after_each([block, "import rich.console"])
    assert "structlog" in loaded[0]
    assert "rich" not in loaded[0]
    assert "rich" in loaded[1], "commands draw with it"


@pytest.mark.parametrize("command", ["worker", "dispatcher"])
def test_a_process_of_a_fleet_starts_without_the_command_line(command: str) -> None:
    refused = f"from cli.main import run; assert run(['{command}']) == 2"  # there is no broker that others reach
    loaded = modules_after(refused)
    assert "celery" in loaded
    assert not {"typer", "rich"} & loaded
