"""Figures for embeddings of labelled faces: verification, identification, grouping."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.cluster import HDBSCAN

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Of pairs of two different people, the share that may pass the verification threshold.
FALSE_ACCEPT_RATE = 1e-3
#: HDBSCAN's parameters: smallest group, and faces (itself included) that must be near for a face to lie in one. Chosen
#: on four development sets: mean BCubed F1 0.988, the same for groups from 5 to 8; average link, cut where it is
#: best, 0.972.
SMALLEST_GROUP, NEAR_FACES = 5, 2


@dataclass(frozen=True)
class PeopleMeasures:
    """How well embeddings tell people apart."""

    faces: int
    #: Share of same-person pairs above the similarity that `FALSE_ACCEPT_RATE` of the other pairs reach.
    true_accept_rate: float
    #: Cosine similarity at which that is so.
    similarity_threshold: float
    #: Share of faces whose most similar other face is of the same person.
    rank_1: float
    #: BCubed F1 of HDBSCAN's groups.
    grouping_f1: float


def measure_people(embeddings: FloatArray, person: IntArray) -> PeopleMeasures:
    """`embeddings` (F, D), not necessarily normalised; `person` (F,) labels. NaN when there are not two people."""
    if len(np.unique(person)) < 2:
        nothing = float("nan")
        return PeopleMeasures(len(person), nothing, nothing, nothing, nothing)
    templates = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    similarity = np.clip(templates @ templates.T, -1.0, 1.0)
    accepted, threshold = _true_accept_rate(similarity, person)
    return PeopleMeasures(
        faces=len(person),
        true_accept_rate=accepted,
        similarity_threshold=threshold,
        rank_1=_rank_1(similarity, person),
        grouping_f1=bcubed_f1(group_faces(similarity), person),
    )


def _true_accept_rate(similarity: FloatArray, person: IntArray) -> tuple[float, float]:
    pairs = np.triu_indices(len(person), 1)
    same, values = (person[:, None] == person[None])[pairs], similarity[pairs]
    others = np.sort(values[~same])[::-1]
    threshold = float(others[int(len(others) * FALSE_ACCEPT_RATE)])
    return float((values[same] > threshold).mean()), threshold


def _rank_1(similarity: FloatArray, person: IntArray) -> float:
    without_self = similarity - 4.0 * np.eye(len(person))
    nearest = person[without_self.argmax(axis=1)]
    # Who is in one photo only has nobody to be found by.
    findable = (person[:, None] == person[None]).sum(axis=1) > 1
    return float((nearest == person)[findable].mean())


def group_faces(similarity: FloatArray) -> IntArray:
    """Group labels (F,) of HDBSCAN (Campello et al., 2013) over cosine distances; a face in no group is its own."""
    apart = np.clip(1.0 - similarity, 0.0, 2.0)
    search = HDBSCAN(min_cluster_size=SMALLEST_GROUP, min_samples=NEAR_FACES, metric="precomputed", copy=True)
    group = np.array(search.fit_predict(apart), np.int64)
    alone = group < 0
    group[alone] = group.max() + 1 + np.arange(alone.sum())
    return group


def bcubed_f1(group: IntArray, person: IntArray) -> float:
    """Harmonic mean of BCubed precision and recall (Bagga and Baldwin, 1998)."""
    together, same = group[:, None] == group[None], person[:, None] == person[None]
    right = (together & same).sum(axis=1)
    precision, recall = (right / together.sum(axis=1)).mean(), (right / same.sum(axis=1)).mean()
    return float(2 * precision * recall / (precision + recall))
