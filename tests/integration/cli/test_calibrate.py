"""`calibrate` and what `models list` says of it, on drawn people and a copy of the bundled pack."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.calibration_faces import draw_people
from tests.integration.cli.conftest import Ended, isolate


@pytest.fixture
def own_pack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, demo_pack: Path) -> Path:
    isolate(monkeypatch, tmp_path)
    copy = tmp_path / "pack"
    shutil.copytree(demo_pack, copy, ignore=shutil.ignore_patterns("calibration.json"))
    monkeypatch.setenv("FACEFLEET_MODEL_PACK", str(copy))
    return copy


def test_a_pack_is_calibrated_on_a_folder_of_people(
    facefleet: Callable[..., Ended], own_pack: Path, tmp_path: Path
) -> None:
    draw_people(tmp_path / "people", people=8, photos=4)
    (tmp_path / "people" / "person-9000000" / "no-photo.jpg").write_text("no photo")
    listed = {each["name"]: each for each in facefleet("models", "list", "--json").document}
    assert "not calibrated" in listed[str(own_pack)]["similarity"]
    ended = facefleet("calibrate", str(tmp_path / "people"), "--json")
    assert ended.status == 0, ended.stderr
    measured = ended.document
    assert measured["file"] == str(own_pack / "calibration.json")
    assert (measured["people"], measured["faces"]) == (8, 32)
    assert "1 files show no face" in ended.stderr
    listed = {each["name"]: each for each in facefleet("models", "list", "--json").document}
    assert "8 people, 32 faces" in listed[str(own_pack)]["similarity"]


@pytest.mark.parametrize("folder", ["missing", "empty", "file"])
def test_a_folder_without_people_is_a_sentence(
    facefleet: Callable[..., Ended], own_pack: Path, tmp_path: Path, folder: str
) -> None:
    del own_pack
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    ended = facefleet("calibrate", str(tmp_path / folder))
    assert ended.status == 2
    assert folder in ended.stderr
    assert "Traceback" not in ended.stderr
