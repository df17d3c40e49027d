"""When a quantized pack is good enough."""

import dataclasses

import numpy as np
import pytest

from facefleet.errors import InvalidRequest
from facefleet.recognition.quantization_gate import Comparison, _require_pairs, _tar

GOOD = Comparison(
    faces=300,
    recall=0.995,
    median_cosine=0.99,
    first_percentile_cosine=0.97,
    parent_tar=0.9,
    quantized_tar=0.898,
    mixed_tar=0.898,
)


def test_a_pack_on_every_bar_is_good_enough() -> None:
    assert GOOD.failures == ""


@pytest.mark.parametrize(
    ("worse", "named"),
    [
        ({"recall": 0.9949}, "share of the faces"),
        ({"median_cosine": 0.9899}, "median cosine"),
        ({"first_percentile_cosine": 0.9699}, "one template in a hundred"),
        ({"quantized_tar": 0.8979}, "pairs told"),
        ({"mixed_tar": 0.8979}, "pairs told"),
    ],
)
def test_each_bar_refuses_alone(worse: dict[str, float], named: str) -> None:
    failures = dataclasses.replace(GOOD, **worse).failures
    assert named in failures
    assert ";" not in failures


def test_true_accepts_are_counted_above_the_cosine_of_one_stranger_in_a_thousand() -> None:
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(50), 4)
    centres = random.standard_normal((50, 64))
    templates = centres[labels] + 0.3 * random.standard_normal((200, 64))
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    assert _tar(labels, templates.astype(np.float32), templates.astype(np.float32)) > 0.999
    strangers = random.standard_normal((200, 64))
    strangers /= np.linalg.norm(strangers, axis=1, keepdims=True)
    assert _tar(labels, templates.astype(np.float32), strangers.astype(np.float32)) < 0.05


def test_a_handful_of_faces_says_nothing() -> None:
    with pytest.raises(InvalidRequest, match="45 pairs of faces of two people"):
        _require_pairs(np.arange(10))
