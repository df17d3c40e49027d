"""The figures of the evaluation, on cases small enough to work out by hand."""

import numpy as np
import pytest

from demo.evaluation.detection_measures import match_faces, measure_detection, overlap
from demo.evaluation.measure import Bar, evaluation_photos
from demo.evaluation.people_measures import bcubed_f1, group_faces, measure_people
from demo.evaluation.recognizer import DetectedFace
from demo.photo import LabelledFace
from demo.portrait import Box

LANDMARKS = np.array([[10, 10], [30, 10], [20, 20], [12, 30], [28, 30]], np.float32)


def drawn(box: Box) -> LabelledFace:
    return LabelledFace(1, box, LANDMARKS)


def found(box: Box, shift_px: float = 0.0) -> DetectedFace:
    return DetectedFace(box, LANDMARKS + np.float32(shift_px), 0.9, np.ones(4, np.float32))


def test_overlap() -> None:
    assert overlap((0, 0, 10, 10), (0, 0, 10, 10)) == 1.0
    assert overlap((0, 0, 10, 10), (5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 10, 10), (20, 0, 10, 10)) == 0.0


def test_recall_precision_and_landmark_error() -> None:
    truth = [drawn((0, 0, 50, 50)), drawn((100, 0, 50, 50))]
    result = match_faces(truth, [found((2, 0, 50, 50), shift_px=1.0), found((300, 0, 50, 50))])
    measures = measure_detection([result])
    assert (measures.faces, measures.recall, measures.precision) == (2, 0.5, 0.5)
    # Every point is off by (1, 1), and the eyes are 20 apart.
    assert measures.landmark_error == pytest.approx(np.sqrt(2) / 20)


def test_two_detections_of_one_face_are_one_hit_and_one_false_alarm() -> None:
    result = match_faces([drawn((0, 0, 50, 50))], [found((5, 0, 50, 50)), found((1, 0, 50, 50))])
    assert result.matches[0].found is not None
    assert result.matches[0].found.box[0] == 1
    assert len(result.false_alarms) == 1


def test_people_measures_of_perfect_and_of_useless_embeddings() -> None:
    person = np.repeat(np.arange(5), 6)
    perfect = measure_people(np.eye(5)[person], person)
    assert (perfect.true_accept_rate, perfect.rank_1, perfect.grouping_f1) == (1.0, 1.0, 1.0)
    useless = measure_people(np.random.default_rng(1).normal(size=(30, 64)), person)
    assert useless.true_accept_rate < 0.5
    assert useless.rank_1 < 0.6


def test_bcubed_of_everything_in_one_group() -> None:
    # Precision 1/2, recall 1.
    assert bcubed_f1(np.zeros(4, np.int64), np.array([0, 0, 1, 1])) == pytest.approx(2 / 3)


def test_faces_near_each_other_are_a_group_and_a_stranger_is_alone() -> None:
    rng = np.random.default_rng(3)
    faces = np.concatenate([np.repeat(np.eye(8)[:2], 6, axis=0) + rng.normal(0, 0.1, (12, 8)), -np.ones((1, 8))])
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    groups = group_faces(faces @ faces.T)
    assert len(set(groups[:6])) == len(set(groups[6:12])) == 1
    assert len({groups[0], groups[6], groups[12]}) == 3


def test_bars() -> None:
    assert Bar("recall", 0.995, 0.995, 0.999).met
    assert not Bar("recall", 0.994, 0.995, 0.999).met
    assert Bar("error", 0.05, 0.06, 0.04, lower_is_better=True).met
    assert not Bar("error", 0.07, 0.06, 0.04, lower_is_better=True).met


def test_evaluation_photos_are_of_25_people_and_repeatable() -> None:
    first, again = list(evaluation_photos(3, 4)), list(evaluation_photos(3, 4))
    assert all(np.array_equal(one, other) for (one, _), (other, _) in zip(first, again, strict=True))
    seeds = {face.person_seed for _, faces in first for face in faces}
    assert seeds <= set(range(4_000_000, 4_000_025))
