"""Faces to clusters, all at once."""

from dataclasses import dataclass

import numpy as np

from facefleet.people.agglomeration import Groups, agglomerate
from facefleet.people.constraints import Constraints
from facefleet.people.face_set import NOISE, BoolArray, FaceSet, FloatArray, IntArray
from facefleet.people.marks import mark_faces
from facefleet.people.neighbours import Neighbours
from facefleet.recognition.similarity import SimilarityCurve

#: A face weighs its quality, but not nothing.
_LEAST_WEIGHT = 0.05


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """How alike one person's faces are taken to look."""

    #: What a cosine of this model pack means.
    curve: SimilarityCurve
    #: Fewer faces than this are no cluster, unless people said so.
    min_cluster_size: int = 3
    #: Faces, itself included, that must be near a face for it to hold a cluster together; others only attach.
    min_samples: int = 2
    #: Calibrated similarity, 0-100 percent, that two groups must have on average to be one person.
    cluster_epsilon: float = 60.0
    #: Faces of a lower quality attach to a cluster but hold none together.
    min_quality: float = 0.05
    #: Nearest faces of a face that are looked at.
    neighbour_count: int = 32

    @property
    def min_link(self) -> float:
        """`cluster_epsilon` as a cosine."""
        return self.curve.cosine(self.cluster_epsilon)


def cluster_faces(
    faces: FaceSet, neighbours: Neighbours, constraints: Constraints, settings: ClusterSettings
) -> IntArray:
    """Tell people apart.

    Args:
        faces: N of them.
        neighbours: near faces among these, `find_neighbours(..., settings.neighbour_count, settings.min_link)`.
        constraints: what people decided about rows of `faces`.
        settings: of the model pack and the installation.

    Returns:
        (N,) int64 labels: 0 is the largest cluster; -1 belongs to none.
    """
    count = len(faces)
    forced = connect(constraints.together, count)
    weights = np.maximum(faces.qualities, np.float32(_LEAST_WEIGHT))
    groups = _gather(faces, forced, weights, constraints)
    confirmed = np.zeros(count, bool)
    confirmed[constraints.together.ravel()] = confirmed[constraints.people] = True
    strong = confirmed | (faces.qualities >= settings.min_quality)
    pairs = np.stack([neighbours.rows, neighbours.others], axis=1)
    member_of = agglomerate(groups, forced[pairs[strong[pairs].all(axis=1)]], settings.min_link)[forced]
    return _number(member_of, strong, confirmed, settings.min_cluster_size)


def connect(pairs: IntArray, count: int) -> IntArray:
    """Follow pairs as edges: (count,) int64, the smallest row that each row is connected to."""
    smallest = np.arange(count)
    while True:
        lower = smallest.copy()
        np.minimum.at(lower, pairs[:, 0], smallest[pairs[:, 1]])
        np.minimum.at(lower, pairs[:, 1], smallest[pairs[:, 0]])
        lower = lower[lower]
        if (lower == smallest).all():
            return smallest
        smallest = lower


def _gather(faces: FaceSet, group_of: IntArray, weights: FloatArray, constraints: Constraints) -> Groups:
    sums = np.zeros_like(faces.templates)
    np.add.at(sums, group_of, faces.templates * weights[:, None])
    totals = np.zeros(len(faces), np.float32)
    np.add.at(totals, group_of, weights)
    return Groups(sums, totals, mark_faces(faces.photos, constraints).regroup(group_of))


def _number(member_of: IntArray, strong: BoolArray, confirmed: BoolArray, min_cluster_size: int) -> IntArray:
    """Number groups by size; small ones that nobody confirmed are noise."""
    count = len(member_of)
    sizes = np.bincount(member_of[strong], minlength=count)
    kept = sizes >= min_cluster_size
    kept[member_of[confirmed]] = True
    order = np.lexsort((np.arange(count), -sizes, ~kept))
    number = np.full(count, NOISE, np.int64)
    number[order[: kept.sum()]] = np.arange(kept.sum())
    return number[member_of]
