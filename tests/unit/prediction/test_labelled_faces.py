"""Folds: who is learnt, who is asked about, and who is a stranger."""

import numpy as np
import pytest

from facefleet.prediction.labelled_faces import LabelledFaces, make_folds
from tests.unit.prediction.crowd import draw_people


def test_everybody_is_a_stranger_once_and_no_face_that_is_asked_about_was_learnt() -> None:
    faces = draw_people(9, 6)
    folds = list(make_folds(faces, 4))
    strangers = [set(fold.people[fold.truth < 0].tolist()) for fold in folds]
    assert sorted(person for fold in strangers for person in fold) == list(range(9))
    for fold, unknown in zip(folds, strangers, strict=True):
        assert len(fold.known.people) + len(fold.asked) == len(faces.people)
        assert not (fold.known.templates @ fold.asked.T > 0.9999).any()
        assert set(fold.people.tolist()) == set(range(9)), "everybody is asked about in every fold"
        assert fold.known.count == 9 - len(unknown)


def test_truth_is_who_it_is_of_the_people_who_were_learnt() -> None:
    faces = draw_people(5, 4, scatter=0.0)
    for fold in make_folds(faces, 4):
        nearest = fold.known.people[(fold.asked @ fold.known.templates.T).argmax(axis=1)]
        known = fold.truth >= 0
        assert (nearest[known] == fold.truth[known]).all()


def test_who_has_one_face_is_never_asked_about_as_somebody_known() -> None:
    folds = list(make_folds(draw_people(6, 1), 4))
    assert all((fold.truth < 0).all() for fold in folds)


def test_nobody_left_to_learn_is_no_fold() -> None:
    assert len(list(make_folds(draw_people(1, 8), 4))) == 3


def test_a_thinned_fold_keeps_questions_and_answers_together() -> None:
    fold = next(make_folds(draw_people(9, 6, scatter=0.0), 4))
    thin = fold.thin(7)
    assert 0 < len(thin.asked) <= 7
    assert len(thin.asked) == len(thin.truth) == len(thin.people)
    assert thin.known is fold.known


@pytest.mark.parametrize("people", [[], [1, 2], [0, 2], [0, 1, 0]])
def test_people_are_numbered_without_gaps(people: list[int]) -> None:
    with pytest.raises(ValueError, match=r"numbered|not templates"):
        LabelledFaces(np.zeros((len(people), 4), np.float32), np.array(people, np.int64))
