"""The bundled pack keeps InsightFace's contracts."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from demo.pack_facts import PACK_DIRECTORY, read_pack_facts


def session(name: str) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(PACK_DIRECTORY / name, providers=["CPUExecutionProvider"])


def run(model: onnxruntime.InferenceSession, pixels: np.ndarray) -> list[np.ndarray]:
    answers: list[np.ndarray] = model.run(None, {model.get_inputs()[0].name: pixels})
    return answers


def test_pack_is_small_and_says_what_it_is() -> None:
    assert sum(path.stat().st_size for path in PACK_DIRECTORY.glob("*.onnx")) < 3_000_000
    facts = read_pack_facts()
    assert facts.drawn_people
    assert facts.licence == "Apache-2.0"
    assert 0.2 < facts.detection_threshold < 0.9
    assert "not for" in (PACK_DIRECTORY / "MODEL_CARD.md").read_text()


def test_pack_facts_are_read(tmp_path: Path) -> None:
    stored = {"detection_threshold": 0.5, "licence": "MIT", "drawn_people": False}
    (tmp_path / "pack.json").write_text(json.dumps(stored))
    assert read_pack_facts(tmp_path).licence == "MIT"


@pytest.mark.parametrize(("height", "width"), [(64, 96), (320, 224)])
def test_detector_answers_nine_outputs_for_any_size_and_count(height: int, width: int) -> None:
    detector = session("det_drawn.onnx")
    pixels = np.random.default_rng(1).normal(size=(2, 3, height, width)).astype(np.float32)
    both = run(detector, pixels)
    anchors = [2 * (height // stride) * (width // stride) for stride in (8, 16, 32)]
    assert [answer.shape for answer in both] == [(2 * count, values) for values in (1, 4, 10) for count in anchors]
    one_by_one = [run(detector, pixels[index : index + 1]) for index in range(2)]
    for answer, *parts in zip(both, *one_by_one, strict=True):
        np.testing.assert_allclose(answer, np.concatenate(parts), rtol=1e-4, atol=1e-4)


def test_embedder_answers_128_floats_for_any_count() -> None:
    embedder = session("rec_drawn.onnx")
    faces = np.random.default_rng(1).normal(size=(3, 3, 112, 112)).astype(np.float32)
    (embeddings,) = run(embedder, faces)
    assert embeddings.shape == (3, 128)
    np.testing.assert_allclose(embeddings[1:2], run(embedder, faces[1:2])[0], rtol=1e-3, atol=1e-4)
