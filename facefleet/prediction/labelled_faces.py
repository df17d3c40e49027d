"""Faces of people with names, as arrays: what classifiers learn from."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from facefleet.people.face_set import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class LabelledFaces:
    """N faces of P people of one model version.

    Raises:
        ValueError: shapes that do not fit, nobody, people that are not numbered without gaps, or in any other order.
    """

    #: (N, D) float32, L2 norm 1; faces of one person stand together.
    templates: FloatArray
    #: (N,) int64, ascending from 0 to P - 1.
    people: IntArray

    def __post_init__(self) -> None:
        if self.templates.ndim != 2 or self.people.shape != (len(self.templates),) or not len(self.people):  # noqa: PLR2004
            raise ValueError(f"{self.templates.shape} and {self.people.shape} are not templates and their people")
        steps = np.diff(self.people)
        if self.people[0] != 0 or ((steps != 0) & (steps != 1)).any():
            raise ValueError("people are not numbered from 0 without gaps, in order")

    @property
    def count(self) -> int:
        """P."""
        return int(self.people[-1]) + 1

    @property
    def faces_of_each(self) -> IntArray:
        """(P,) int64."""
        return np.bincount(self.people).astype(np.int64)

    def centroids(self) -> FloatArray:
        """(P, D) float32, L2 norm 1: the mean direction of each person's faces."""
        starts = np.searchsorted(self.people, np.arange(self.count))
        sums = np.add.reduceat(self.templates, starts, axis=0)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True).astype(np.float32)
        return np.asarray(sums / np.maximum(lengths, np.float32(1e-6)), np.float32)


@dataclass(frozen=True, slots=True)
class Fold:
    """Some faces to learn from, and others to be asked about."""

    known: LabelledFaces
    #: (M, D) float32.
    asked: FloatArray
    #: (M,) int64: who it is of `known`; -1: a stranger, nobody of them.
    truth: IntArray
    #: (M,) int64: who it is of all faces, strangers too.
    people: IntArray

    def thin(self, most: int) -> "Fold":
        """The same, with at most so many faces to be asked about, from among all."""
        every = slice(None, None, max(1, -(-len(self.asked) // most)))
        return Fold(self.known, self.asked[every], self.truth[every], self.people[every])


def make_folds(faces: LabelledFaces, count: int) -> Iterator[Fold]:
    """Part faces so that every person is once a stranger, and otherwise asked about with faces that were not learnt.

    In fold f every person number f, f + count ... is a stranger as a whole, and of everybody else the faces number f,
    f + count ... are asked about. Who has a single face is a stranger in the fold that asks about it.

    Args:
        faces: at least one person.
        count: folds; those in which nobody would be left to learn are left out.
    """
    people = faces.people
    rank = np.arange(len(people)) - np.searchsorted(people, people)
    for fold in range(count):
        is_known = (people % count != fold) & (rank % count != fold)
        if is_known.any():
            yield _part(faces, is_known)


def _part(faces: LabelledFaces, is_known: BoolArray) -> Fold:
    present, numbers = np.unique(faces.people[is_known], return_inverse=True)
    number_of = np.full(faces.count, -1, np.int64)
    number_of[present] = np.arange(len(present))
    known = LabelledFaces(faces.templates[is_known], numbers.astype(np.int64))
    people = faces.people[~is_known]
    return Fold(known, faces.templates[~is_known], number_of[people], people)
