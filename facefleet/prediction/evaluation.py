"""How good the classifiers are on faces of people who are known: what `facefleet evaluate` reports."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facefleet.errors import InvalidRequest
from facefleet.face_records import Template
from facefleet.people.face_set import BoolArray, FloatArray
from facefleet.prediction.labelled_faces import LabelledFaces, make_folds
from facefleet.prediction.panel import fit_panel
from facefleet.prediction_records import Classifier
from facefleet.recognition.similarity import SimilarityCurve

_FOLDS = 4
_BINS = 10


@dataclass(frozen=True, slots=True)
class Score:
    """What one classifier did with all faces that it was asked about."""

    classifier: Classifier
    #: Share of the names it gave that were right.
    precision: float
    #: Share of the faces of people it knew that got the right name.
    recall: float
    #: Faces of strangers that got a name.
    strangers_named: int
    #: Mean distance between confidence and share of right guesses, over ten bins of confidence.
    calibration_error: float
    #: Median and 95th percentile of one face, the others not being asked meanwhile.
    ms_per_face: float
    ms_per_face_p95: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was asked, and what came of it."""

    people: int
    faces: int
    #: Faces of people who were known, and of strangers, that the classifiers were asked about.
    asked_known: int
    asked_strangers: int
    #: A name is given from this confidence on.
    min_confidence: float
    scores: tuple[Score, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """All answers of one classifier."""

    confidences: NDArray[np.float64]
    is_right: BoolArray
    is_known: BoolArray
    latencies_ms: NDArray[np.float64]


def evaluate(people: Sequence[Sequence[Template]], curve: SimilarityCurve, min_confidence: float) -> Evaluation:
    """Learn three quarters of the faces of three quarters of the people and ask about all others, four times over.

    Every person is a stranger in one round, so that naming somebody who is nobody counts too.

    Args:
        people: templates of each person.
        curve: what a cosine of the model pack means.
        min_confidence: a name is given from this confidence on.

    Raises:
        InvalidRequest: too few people or faces to ask about.
    """
    if len(people) < 2 or max(map(len, people)) < 2:  # noqa: PLR2004
        raise InvalidRequest(
            "two people at least are needed, one of them with two photos: some to learn from, others to ask about"
        )
    numbers = np.repeat(np.arange(len(people)), [len(each) for each in people]).astype(np.int64)
    faces = LabelledFaces(np.concatenate([np.stack(each) for each in people]), numbers)
    answers: dict[Classifier, list[tuple[float, bool, bool, float]]] = {classifier: [] for classifier in Classifier}
    for fold in make_folds(faces, _FOLDS):
        panel = fit_panel(fold.known, curve)
        for template, truth in zip(fold.asked, fold.truth.tolist(), strict=True):
            for guess in panel.predict(template):
                answer = (guess.confidence, guess.person == truth, truth >= 0, guess.latency_ms)
                answers[guess.classifier].append(answer)
    asked = {classifier: _gather(each) for classifier, each in answers.items()}
    is_known = asked[Classifier.FAST].is_known
    scores = tuple(_score(classifier, each, min_confidence) for classifier, each in asked.items())
    return Evaluation(len(people), len(numbers), int(is_known.sum()), int((~is_known).sum()), min_confidence, scores)


def _gather(answers: Sequence[tuple[float, bool, bool, float]]) -> _Asked:
    confidences, is_right, is_known, latencies_ms = zip(*answers, strict=True)
    return _Asked(np.array(confidences), np.array(is_right), np.array(is_known), np.array(latencies_ms))


def _score(classifier: Classifier, asked: _Asked, min_confidence: float) -> Score:
    is_named = asked.confidences >= min_confidence
    right = int((is_named & asked.is_right).sum())
    return Score(
        classifier,
        precision=right / max(int(is_named.sum()), 1),
        recall=right / max(int(asked.is_known.sum()), 1),
        strangers_named=int((is_named & ~asked.is_known).sum()),
        calibration_error=_calibration_error(asked.confidences, asked.is_right),
        ms_per_face=float(np.median(asked.latencies_ms)),
        ms_per_face_p95=float(np.percentile(asked.latencies_ms, 95)),
    )


def _calibration_error(confidences: FloatArray | NDArray[np.float64], is_right: BoolArray) -> float:
    """Expected calibration error (Naeini, Cooper and Hauskrecht 2015)."""
    bins = np.minimum((confidences * _BINS).astype(np.int64), _BINS - 1)
    gaps = np.bincount(bins, confidences - is_right, _BINS)
    return float(np.abs(gaps).sum() / len(confidences))
