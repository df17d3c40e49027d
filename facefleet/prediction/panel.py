"""All classifiers side by side, each with a confidence that was measured on faces it had not learnt."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from facefleet.face_records import Template
from facefleet.people.face_set import BoolArray, FloatArray
from facefleet.prediction.classifiers import FIT, Fitted
from facefleet.prediction.confidence import Confidence, fit_confidence
from facefleet.prediction.labelled_faces import Fold, LabelledFaces, make_folds
from facefleet.prediction_records import Classifier
from facefleet.recognition.similarity import FAR_OF_PERCENT, SimilarityCurve

_FOLDS = 4
#: At most so many held-out faces are asked about for a confidence.
_MOST_ASKED = 2000
#: What the calibration of the model pack says about strangers, and about one person, counts as much as so many faces:
#: a beginning where few people have names.
_IMAGINED_WEIGHT = 4.0
_IMAGINED = 32
#: Where imagined faces of one person lie, as shares of the way from what hardly any stranger reaches to 1.
_SAME_PERSON_SHARES = (0.0, 0.15, 0.3, 0.45)
#: Calibrated similarities of imagined strangers.
_STRANGER_PERCENTS = tuple(percent for percent, far in FAR_OF_PERCENT if far >= 1e-3)  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class Guess:
    """What one classifier says about one face."""

    classifier: Classifier
    #: Number of the likeliest person.
    person: int
    #: 0-1: how often such a guess is right, were every second face of somebody who is known.
    confidence: float
    #: From template to guess.
    latency_ms: float


@dataclass(frozen=True, slots=True)
class _Answers:
    """What a classifier said about M faces of which is known who they are."""

    #: (M,) float32.
    scores: FloatArray
    #: (M,) bool.
    is_right: BoolArray
    #: (M,) bool: the others are of strangers.
    is_known: BoolArray
    #: (M,) float64: how many observations each stands for.
    weights: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Panel:
    """Classifiers that have learnt the same faces. Safe to call from several threads."""

    members: Mapping[Classifier, tuple[Fitted, Confidence]]

    def predict(self, template: Template) -> tuple[Guess, ...]:
        """Ask every classifier who a face is.

        Args:
            template: (D,) float32, L2 norm 1, of the model version that was learnt.
        """
        return tuple(_ask(classifier, *member, template) for classifier, member in self.members.items())


def fit_panel(faces: LabelledFaces, curve: SimilarityCurve) -> Panel:
    """Let every classifier learn, and measure how sure its scores make one.

    Args:
        faces: of people who have names.
        curve: what a cosine of the model pack means.
    """
    folds = [fold.thin(_MOST_ASKED // _FOLDS) for fold in make_folds(faces, _FOLDS)]
    imagined = _imagine(faces, curve)
    members = {}
    for classifier, fit in FIT.items():
        fitted = fit(faces)
        measured = _join([_answer(fit(fold.known), fold) for fold in folds])
        members[classifier] = (fitted, _calibrate(measured, _answer(fitted, imagined)))
    return Panel(MappingProxyType(members))


def _ask(classifier: Classifier, fitted: Fitted, confidence: Confidence, template: Template) -> Guess:
    began = time.perf_counter()
    likeliest = fitted.find_likeliest(template[np.newaxis])
    sure = float(confidence.of(likeliest.scores)[0])
    latency_ms = (time.perf_counter() - began) * 1000
    return Guess(classifier, int(likeliest.people[0]), sure, latency_ms)


def _answer(fitted: Fitted, fold: Fold) -> _Answers:
    likeliest = fitted.find_likeliest(fold.asked)
    is_known = fold.truth >= 0
    # Faces of one stranger are alike: together they say as much as one.
    of_each = np.bincount(fold.people)[fold.people]
    return _Answers(likeliest.scores, likeliest.people == fold.truth, is_known, np.where(is_known, 1.0, 1.0 / of_each))


def _join(parts: Sequence[_Answers]) -> _Answers:
    nothing = np.empty(0, np.bool_)
    return _Answers(
        np.concatenate([np.empty(0, np.float32), *(each.scores for each in parts)]),
        np.concatenate([nothing, *(each.is_right for each in parts)]),
        np.concatenate([nothing, *(each.is_known for each in parts)]),
        np.concatenate([np.empty(0), *(each.weights for each in parts)]),
    )


def _calibrate(measured: _Answers, imagined: _Answers) -> Confidence:
    """Fit a confidence for a world in which every second face is of somebody who is known."""
    small = _IMAGINED_WEIGHT / (len(imagined.scores) / 2)
    weights = np.concatenate([measured.weights, np.full(len(imagined.scores), small)])
    answers = _join([measured, imagined])
    for is_kind in (answers.is_known, ~answers.is_known):
        weights[is_kind] *= (len(measured.scores) / 2 + _IMAGINED_WEIGHT) / weights[is_kind].sum()
    return fit_confidence(answers.scores, answers.is_right, weights)


def _imagine(faces: LabelledFaces, curve: SimilarityCurve) -> Fold:
    """Make up as many faces of people who are known as of strangers, each at a known cosine from somebody's centroid.

    Args:
        faces: the people.
        curve: says where strangers lie; what hardly any of them reaches is where one person's faces begin.
    """
    rare = curve.cosine(FAR_OF_PERCENT[-1][0])
    same = [rare + share * (1 - rare) for share in _SAME_PERSON_SHARES]
    strangers = [curve.cosine(percent) for percent in _STRANGER_PERCENTS]
    cosines = np.concatenate([np.resize(same, _IMAGINED // 2), np.resize(strangers, _IMAGINED // 2)])
    people = np.resize(np.arange(faces.count), _IMAGINED)
    towards = faces.centroids()[people]
    aside = np.random.default_rng(0).standard_normal(towards.shape)
    aside -= towards * (aside * towards).sum(axis=1, keepdims=True)
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    asked = cosines[:, np.newaxis] * towards + np.sqrt(1 - cosines**2)[:, np.newaxis] * aside
    truth = np.where(np.arange(_IMAGINED) < _IMAGINED // 2, people, -1)
    return Fold(faces, asked.astype(np.float32), truth, np.arange(_IMAGINED))
