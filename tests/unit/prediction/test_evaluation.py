"""The report counts what happened."""

import numpy as np
import pytest

from facefleet.errors import InvalidRequest
from facefleet.prediction.evaluation import evaluate
from facefleet.prediction_records import Classifier
from facefleet.recognition.similarity import usual_curve
from tests.unit.prediction.crowd import DIMENSIONS, draw_people, normalise

CURVE = usual_curve(0.3)


def test_people_that_are_easy_to_tell_apart_are_told_apart() -> None:
    faces = draw_people(12, 8)
    report = evaluate([faces.templates[faces.people == person] for person in range(12)], CURVE, 0.8)
    assert (report.people, report.faces) == (12, 96)
    assert report.asked_strangers == 96, "everybody is a stranger once"
    assert report.asked_known == 72
    for score in report.scores:
        assert score.precision > 0.97
        assert score.recall > 0.9
        assert score.strangers_named <= 2
        assert score.calibration_error < 0.1
        assert 0 < score.ms_per_face <= score.ms_per_face_p95


def test_faces_that_say_nothing_get_no_names() -> None:
    noise = normalise(np.random.default_rng(0).standard_normal((120, DIMENSIONS)))
    report = evaluate([noise[start : start + 10] for start in range(0, 120, 10)], CURVE, 0.8)
    for score in report.scores:
        assert score.recall < 0.05, "there is nothing to recognise anybody by"


def test_a_name_for_a_stranger_costs_precision() -> None:
    faces = draw_people(12, 8)
    report = evaluate([faces.templates[faces.people == person] for person in range(12)], CURVE, 0.0)
    assert [score.strangers_named for score in report.scores] == [96] * len(Classifier)
    for score in report.scores:
        assert score.precision < 72 / 168 + 0.01


@pytest.mark.parametrize("sizes", [[], [5], [1, 1]])
def test_too_few_people_are_refused(sizes: list[int]) -> None:
    with pytest.raises(InvalidRequest, match="two people"):
        evaluate([normalise(np.ones((size, 4))) for size in sizes], CURVE, 0.8)
