"""Confidence: measured on faces that were not learnt, sensible where there are hardly any."""

import numpy as np
import pytest

from facefleet.face_records import Template
from facefleet.prediction.confidence import fit_confidence
from facefleet.prediction.panel import Panel, fit_panel
from facefleet.prediction_records import Classifier
from facefleet.recognition.similarity import usual_curve
from tests.unit.prediction.crowd import draw_people

CURVE = usual_curve(0.3)


def confidences(panel: Panel, template: Template) -> dict[Classifier, float]:
    return {guess.classifier: guess.confidence for guess in panel.predict(template)}


def test_every_classifier_answers_about_every_face() -> None:
    faces = draw_people(6, 6)
    guesses = fit_panel(faces, CURVE).predict(faces.templates[0])
    assert [guess.classifier for guess in guesses] == list(Classifier)
    for guess in guesses:
        assert guess.person == 0
        assert 0.9 < guess.confidence <= 1
        assert guess.latency_ms > 0


def test_strangers_get_little_confidence() -> None:
    panel = fit_panel(draw_people(20, 6), CURVE)
    for template in draw_people(20, 1, seed=9).templates:
        assert max(confidences(panel, template).values()) < 0.5


def test_one_face_of_one_person_begins_with_what_the_calibration_knows() -> None:
    faces = draw_people(1, 1)
    panel = fit_panel(faces, CURVE)
    (stranger,) = draw_people(1, 1, seed=4).templates
    same, other = confidences(panel, faces.templates[0]), confidences(panel, stranger)
    for classifier in Classifier:
        assert other[classifier] < 0.5 < same[classifier]
        assert same[classifier] < 0.99, "a single face cannot make one very sure"


def test_the_same_faces_make_the_same_confidence() -> None:
    faces = draw_people(5, 5)
    template = draw_people(5, 1, seed=2).templates[0]
    assert confidences(fit_panel(faces, CURVE), template) == confidences(fit_panel(faces, CURVE), template)


def test_confidence_is_the_share_that_is_right() -> None:
    rng = np.random.default_rng(0)
    scores = rng.uniform(-3, 3, 4000).astype(np.float32)
    is_right = rng.uniform(size=4000) < 1 / (1 + np.exp(-(2 * scores - 1)))
    fitted = fit_confidence(scores, is_right, np.ones(4000, np.float32))
    assert fitted.slope == pytest.approx(2, abs=0.2)
    assert fitted.offset == pytest.approx(-1, abs=0.2)


def test_a_higher_score_never_makes_less_sure() -> None:
    scores = np.array([0.9, 0.1], np.float32)
    fitted = fit_confidence(scores, np.array([False, True]), np.ones(2, np.float32))
    assert fitted.of(np.array([2.0], np.float32)) >= fitted.of(np.array([-2.0], np.float32))


def test_scores_that_part_right_from_wrong_make_no_cliff() -> None:
    scores = np.linspace(0, 1, 40, dtype=np.float32)
    fitted = fit_confidence(scores, scores > 0.5, np.ones(40, np.float32))
    assert 0.9 < fitted.of(np.array([1.0], np.float32))[0] < 1
    assert 0 < fitted.of(np.array([0.0], np.float32))[0] < 0.1
