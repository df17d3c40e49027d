"""The lock files: hashes for everything, no index named, and one ONNX Runtime each."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

LOCKS = sorted((Path(__file__).resolve().parents[3] / "requirements").glob("*.lock"))
RUNTIMES = {"dev": {"onnxruntime"}, "cpu": {"onnxruntime"}, "gpu": {"onnxruntime-gpu"}}


def requirements_of(lock: Path) -> list[Requirement]:
    """What the lock installs on this machine's kind of system."""
    lines = re.findall(r"^([A-Za-z0-9][^\\\n]*?) \\$", lock.read_text(), re.MULTILINE)
    requirements = [Requirement(line) for line in lines]
    return [each for each in requirements if each.marker is None or each.marker.evaluate()]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_everything_is_pinned_with_hashes_and_no_index_is_named(lock: Path) -> None:
    text = lock.read_text()
    pins = re.findall(r"^[A-Za-z0-9][^\n]*$", text, re.MULTILINE)
    assert pins
    assert all("==" in pin and pin.endswith("\\") for pin in pins)
    assert text.count("--hash=sha256:") >= len(pins)
    assert "://" not in text


@pytest.mark.parametrize(("extra", "expected"), RUNTIMES.items())
def test_an_environment_gets_one_onnx_runtime(extra: str, expected: set[str]) -> None:
    [lock] = [lock for lock in LOCKS if lock.stem == extra]
    installed = {each.name for each in requirements_of(lock)}
    assert {name for name in installed if name.startswith("onnxruntime")} == expected
    assert {"insightface", "numpy", "celery"} <= installed
