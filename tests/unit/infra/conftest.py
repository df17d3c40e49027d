"""What is deployed: read once, checked by the tests of this folder."""

from pathlib import Path

import pytest

from tests.fixtures.processes import clean_environment, run_facefleet

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def checkout() -> Path:
    return CHECKOUT


@pytest.fixture(scope="session")
def commands() -> set[str]:
    """The commands that stay, of those that exist."""
    wanted = ("api", "dispatcher", "worker")
    runs = {name: run_facefleet(name, "--help", env=clean_environment(), cwd=CHECKOUT) for name in wanted}
    return {name for name, run in runs.items() if run.returncode == 0}
