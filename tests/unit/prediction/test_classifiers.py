"""Each classifier by itself."""

import numpy as np
import pytest

from facefleet.prediction.classifiers import FIT, fit_gallery_vote, fit_reduced_centroids
from facefleet.prediction.labelled_faces import LabelledFaces, make_folds
from facefleet.prediction_records import Classifier
from tests.unit.prediction.crowd import DIMENSIONS, draw_people, normalise


@pytest.mark.parametrize("classifier", Classifier)
def test_it_names_people_and_scores_strangers_lower(classifier: Classifier) -> None:
    for fold in make_folds(draw_people(20, 8), 4):
        found = FIT[classifier](fold.known).find_likeliest(fold.asked)
        known = fold.truth >= 0
        assert (found.people[known] == fold.truth[known]).mean() > 0.97
        assert np.quantile(found.scores[known], 0.1) > np.quantile(found.scores[~known], 0.9)


@pytest.mark.parametrize("classifier", Classifier)
@pytest.mark.parametrize(("people", "faces_of_each"), [(1, 1), (1, 5), (2, 1), (200, 1)])
def test_few_faces_are_enough_to_begin(classifier: Classifier, people: int, faces_of_each: int) -> None:
    faces = draw_people(people, faces_of_each, scatter=0.3)
    found = FIT[classifier](faces).find_likeliest(faces.templates)
    assert (found.people == faces.people).all()
    assert np.isfinite(found.scores).all()


@pytest.mark.parametrize("classifier", Classifier)
def test_nothing_asked_is_nothing_found(classifier: Classifier) -> None:
    found = FIT[classifier](draw_people(3, 3)).find_likeliest(np.empty((0, DIMENSIONS), np.float32))
    assert len(found.people) == len(found.scores) == 0


def test_who_has_more_faces_has_no_advantage_in_the_linear_model() -> None:
    many, few = draw_people(1, 200, seed=1), draw_people(1, 3, seed=2)
    faces = LabelledFaces(np.concatenate([many.templates, few.templates]), np.repeat([0, 1], [200, 3]))
    fitted = FIT[Classifier.BALANCED](faces)
    scores = fitted.find_likeliest(normalise(np.stack([many.centroids()[0], few.centroids()[0]]))).scores
    assert scores[0] == pytest.approx(scores[1], rel=0.2)


def test_reduced_products_are_exact_for_few_people() -> None:
    faces = draw_people(10, 5)
    asked = draw_people(30, 1, seed=3).templates
    found = fit_reduced_centroids(faces).find_likeliest(asked)
    np.testing.assert_allclose(found.scores, (asked @ faces.centroids().T).max(axis=1), atol=1e-5)


def test_the_reduced_vector_is_smaller() -> None:
    fitted = fit_reduced_centroids(
        LabelledFaces(normalise(np.random.default_rng(0).standard_normal((300, 512))), np.arange(300))
    )
    assert fitted.basis.shape == (512, 64)
    np.testing.assert_allclose(fitted.basis.T @ fitted.basis, np.eye(64), atol=1e-4)


def test_a_vote_is_looked_at_closer() -> None:
    """One stray face of somebody is nearest; the person whose faces are all near wins."""
    rng = np.random.default_rng(0)
    asked = normalise(rng.standard_normal((1, DIMENSIONS)))
    far = normalise(rng.standard_normal((6, DIMENSIONS)))
    stray = np.concatenate([normalise(asked + 0.05 * far[:1]), far])
    steady = normalise(asked + 0.6 * normalise(rng.standard_normal((7, DIMENSIONS))))
    faces = LabelledFaces(np.concatenate([stray, steady]).astype(np.float32), np.repeat([0, 1], 7))
    assert (asked @ faces.templates.T).argmax() == 0
    assert fit_gallery_vote(faces).find_likeliest(asked).people.tolist() == [1]


def test_a_block_of_faces_gets_the_answers_of_single_ones() -> None:
    faces = draw_people(12, 5)
    asked = draw_people(300, 1, seed=5).templates
    fitted = fit_gallery_vote(faces)
    together = fitted.find_likeliest(asked)
    alone = [fitted.find_likeliest(each[np.newaxis]).people[0] for each in asked]
    assert together.people.tolist() == alone
