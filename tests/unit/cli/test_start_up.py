"""What a command loads before it asks a running server: time that every search pays."""

import json
import subprocess
import sys

HEAVY = {"typer", "rich", "pydantic", "numpy", "fastapi", "sqlalchemy", "celery", "httpx", "structlog", "boto3", "cv2"}


def modules_after(code: str) -> set[str]:
    report = f"import json, sys\n{code}\nprint(json.dumps(list(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(ran.stdout)}


def test_search_loads_nothing_heavy() -> None:
    assert not HEAVY & modules_after("from cli.main import run; run(['search', 'no such file', '-a', 'a', '--json'])")


def test_other_commands_load_no_more_than_typer() -> None:
    loaded = modules_after("import cli.app")
    assert HEAVY & loaded == {"typer"}
