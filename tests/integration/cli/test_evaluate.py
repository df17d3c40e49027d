"""`evaluate`: drawn people with the bundled pack, and real ones where they are."""

from collections.abc import Callable
from pathlib import Path

import pytest

from demo.calibration_faces import draw_people
from tests.integration.cli.conftest import Ended, isolate

CLASSIFIERS = ["fast", "balanced", "accurate"]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, demo_pack: Path) -> Path:
    isolate(monkeypatch, tmp_path)
    monkeypatch.setenv("FACEFLEET_MODEL_PACK", str(demo_pack))
    return tmp_path


def test_classifiers_are_measured_on_a_folder_of_people(facefleet: Callable[..., Ended], here: Path) -> None:
    draw_people(here / "people", people=8, photos=4)
    (here / "people" / "person-9000000" / "no-photo.jpg").write_text("no photo")
    ended = facefleet("evaluate", str(here / "people"), "--json")
    assert ended.status == 0, ended.stderr
    assert "1 files show no face" in ended.stderr
    report = ended.document
    assert (report["people"], report["faces"]) == (8, 32)
    assert report["asked_strangers"] == 32
    assert [score["classifier"] for score in report["scores"]] == CLASSIFIERS
    for score in report["scores"]:
        assert score["precision"] >= 0.95
        assert score["recall"] >= 0.5
        assert 0 < score["ms_per_face"] <= score["ms_per_face_p95"]


@pytest.mark.parametrize("folder", ["missing", "empty", "lonely"])
def test_a_folder_without_people_is_a_sentence(facefleet: Callable[..., Ended], here: Path, folder: str) -> None:
    (here / "empty").mkdir()
    draw_people(here / "lonely", people=1, photos=1)
    ended = facefleet("evaluate", str(here / folder))
    assert ended.status == 2
    assert "Traceback" not in ended.stderr
    assert folder in ended.stderr or "two people" in ended.stderr


@pytest.mark.shared
def test_real_people_are_recognised(
    facefleet: Callable[..., Ended], here: Path, shared_dir: Path, real_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEFLEET_MODEL_PACK", str(real_pack))
    for person in sorted((shared_dir / "faces").iterdir())[:8]:
        (here / "people" / person.name).mkdir(parents=True)
        for photo in sorted(person.iterdir())[:8]:
            (here / "people" / person.name / photo.name).symlink_to(photo)
    report = facefleet("evaluate", str(here / "people"), "--json").document
    assert report["faces"] == 64
    for score in report["scores"]:
        assert score["precision"] >= 0.97
        assert score["recall"] >= 0.7
