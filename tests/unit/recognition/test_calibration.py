from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facefleet.errors import ConfigurationError, InvalidRequest
from facefleet.face_records import Template
from facefleet.recognition.calibration import (
    FILE_NAME,
    Calibration,
    calibrate,
    find_calibration,
    load_curve,
    save_calibration,
)
from facefleet.recognition.model_pack import ModelPack, find_model_pack
from facefleet.settings import Settings

VERSION = "feedfeedfeedfeed"


def people(count: int, faces: int, spread: float = 0.5, dimensions: int = 64) -> list[list[Template]]:
    """People whose faces scatter around a direction of their own."""
    rng = np.random.default_rng(1)
    drawn = []
    for _ in range(count):
        vectors = rng.standard_normal(dimensions) + spread * rng.standard_normal((faces, dimensions))
        drawn.append(list((vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)))
    return drawn


@pytest.fixture(scope="module")
def measured() -> Calibration:
    return calibrate(VERSION, people(60, 10))


@pytest.fixture
def pack(tmp_path: Path) -> ModelPack:
    directory = tmp_path / "pack"
    directory.mkdir()
    return ModelPack("mine", directory, directory / "d", directory / "e", VERSION, 0.5, 0.3, "", drawn_people=False)


def test_the_promised_share_of_strangers_reaches_80(measured: Calibration) -> None:
    curve = measured.curve
    rows = people(60, 10)
    percents = [
        curve.percent(float(mine @ other))
        for number, person in enumerate(rows)
        for others in rows[number + 1 :]
        for mine in person[:4]
        for other in others[:4]
    ]
    assert np.mean(np.array(percents) >= 80) == pytest.approx(1e-3, rel=0.5)
    assert np.mean(np.array(percents) >= 40) == pytest.approx(0.1, rel=0.1)
    assert measured.stranger_pairs == 60 * 59 // 2 * 100
    assert measured.same_pairs == 60 * 45
    assert measured.found_at_80 > 0.9


def test_what_the_data_does_not_reach_is_extrapolated_and_said_so(measured: Calibration) -> None:
    assert measured.measured_to_far == pytest.approx(10 / measured.stranger_pairs)
    cosines = [measured.cosines[percent] for percent in sorted(measured.cosines)]
    assert cosines == sorted(set(cosines))
    assert "extrapolated below FAR 5.6e-05" in measured.note


@pytest.mark.parametrize("too_few", [[], people(1, 50), people(4, 2), people(100, 1)])
def test_too_little_is_refused(too_few: list[list[Template]]) -> None:
    with pytest.raises(InvalidRequest, match="too few"):
        calibrate(VERSION, too_few)


def test_people_who_are_all_alike_are_refused() -> None:
    everybody = [list(np.repeat(people(1, 1)[0], 10, axis=0))] * 10
    with pytest.raises(InvalidRequest):
        calibrate(VERSION, everybody)


def test_a_calibration_lies_beside_the_models_or_else_in_the_data_directory(
    measured: Calibration, pack: ModelPack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir = tmp_path / "data"
    assert "not calibrated" in load_curve(pack, data_dir).note
    assert save_calibration(measured, pack, data_dir) == pack.directory / FILE_NAME
    assert find_calibration(pack, data_dir) == measured
    assert load_curve(pack, data_dir).percent(measured.cosines[80.0]) == pytest.approx(80)
    monkeypatch.setattr("os.access", lambda *_: False)
    mine = measured.model_copy(update={"people": 7})
    assert save_calibration(mine, pack, data_dir).parent == data_dir / "calibrations"
    assert find_calibration(pack, data_dir) == mine


def test_the_bundled_pack_is_calibrated(demo_pack: Path, tmp_path: Path) -> None:
    bundled = find_model_pack(Settings(_env_file=None, model_pack=str(demo_pack)))
    assert find_calibration(bundled, tmp_path) is not None, "new model files: run `make demo-pack-calibration`"


def test_a_calibration_of_other_models_is_passed_over(measured: Calibration, pack: ModelPack, tmp_path: Path) -> None:
    save_calibration(measured, pack, tmp_path)
    assert find_calibration(replace(pack, model_version="0" * 16), tmp_path) is None


@pytest.mark.parametrize("content", ["{", "[]", '{"model_version": 3}'])
def test_a_damaged_file_is_a_sentence(content: str, pack: ModelPack, tmp_path: Path) -> None:
    (pack.directory / FILE_NAME).write_text(content)
    with pytest.raises(ConfigurationError, match="cannot be used; delete it"):
        load_curve(pack, tmp_path)
