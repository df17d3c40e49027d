import os
import re
from pathlib import Path

import pytest

from cli.checks import find_settings
from facefleet.errors import ConfigurationError
from facefleet.settings import Settings
from tests.fixtures.packs import CHECKOUT


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [each for each in os.environ if each.startswith("FACEFLEET_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_settings_that_nothing_reads_are_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "none is made" in find_settings(Settings())
    monkeypatch.setenv("FACEFLEET_LEASE_S", "60")
    (place / ".env").write_text("FACEFLEET_MODEL_PACK=demo\n")
    assert find_settings(Settings()) == "FACEFLEET_LEASE_S, FACEFLEET_MODEL_PACK"
    (place / ".env").write_text("FACEFLEET_MODELPACK=demo\nFACEFLEET_XYZZY=1\n")
    with pytest.raises(
        ConfigurationError, match=r"FACEFLEET_MODELPACK \(is FACEFLEET_MODEL_PACK meant\?\), FACEFLEET_XYZZY$"
    ):
        find_settings(Settings())


def test_what_compose_is_told_in_the_same_file_is_no_stranger(place: Path) -> None:
    example = (CHECKOUT / "docker-compose.env.example").read_text()
    (place / ".env").write_text(re.sub(r"(?m)^#(\w+)=", r"\1=", example))
    assert find_settings(Settings(_env_file=None)).startswith("FACEFLEET_CPU_THREADS, ")
