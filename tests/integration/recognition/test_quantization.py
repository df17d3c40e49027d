"""Quantized packs, made of real models."""

import dataclasses
import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from facefleet.errors import PackNotGoodEnough
from facefleet.recognition import quantization
from facefleet.recognition.model_pack import find_model_pack
from facefleet.recognition.quantization import quantize_pack
from facefleet.recognition.quantization_gate import Comparison
from facefleet.recognition.starting import load_recognizer
from facefleet.settings import Settings

pytestmark = pytest.mark.shared
AS_GOOD = Comparison(100, 1.0, 1.0, 1.0, 0.9, 0.9, 0.9)


@pytest.fixture
def settings(real_pack: Path, tmp_path: Path) -> Settings:
    return Settings(model_pack=str(real_pack), device="cpu", cpu_threads=2, data_dir=tmp_path / "data")


@pytest.fixture
def people(shared_dir: Path) -> list[list[Path]]:
    return [sorted(person.iterdir())[:2] for person in sorted((shared_dir / "faces").iterdir())][:6]


def test_a_pack_that_passes_finds_what_its_parent_indexed(
    settings: Settings, people: list[list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[list[list[Path]]] = []

    def compare(_: Settings, __: Settings, photos: list[list[Path]]) -> Comparison:
        compared.append(photos)
        return AS_GOOD

    monkeypatch.setattr(quantization, "compare_packs", compare)
    really_quantize = quantization._quantize

    def quantize_embedder(source: Path, samples: list[np.ndarray], target: Path) -> None:
        if source.name.startswith("det"):
            shutil.copy(source, target)  # a detector takes half a minute
        else:
            really_quantize(source, samples[:2], target)

    monkeypatch.setattr(quantization, "_quantize", quantize_embedder)
    quantize_pack(people, tmp_path / "int8", settings)
    assert [len(photos) for photos in compared[0]] == [1] * 6
    quantized = settings.model_copy(update={"model_pack": str(tmp_path / "int8")})
    parent, made = find_model_pack(settings), find_model_pack(quantized)
    assert made.model_version == parent.model_version
    assert made.own_version not in {"", parent.model_version}
    assert parent.model_version in made.title
    photo = people[0][1].read_bytes()
    with closing(load_recognizer(settings)) as one, closing(load_recognizer(quantized)) as other:
        assert one.recognize(photo).faces[0].template @ other.recognize(photo).faces[0].template > 0.9


def test_a_pack_that_fails_is_not_kept(
    settings: Settings, people: list[list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worse = dataclasses.replace(AS_GOOD, recall=0.9)
    monkeypatch.setattr(quantization, "compare_packs", lambda *_: worse)
    monkeypatch.setattr(quantization, "_quantize", lambda source, _, target: shutil.copy(source, target))
    with pytest.raises(PackNotGoodEnough, match=r"0\.9000, not 0\.9950"):
        quantize_pack(people, tmp_path / "packs" / "int8", settings)
    assert not list((tmp_path / "packs").iterdir())
