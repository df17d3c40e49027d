"""What two faces that must not share a cluster have in common: marks, of which a cluster holds each once."""

from dataclasses import dataclass

import numpy as np

from facefleet.people.constraints import Constraints
from facefleet.people.face_set import BoolArray, IntArray


@dataclass(frozen=True, slots=True)
class Marks:
    """Which group carries which mark, one entry each: a photo, two faces that a person parted, confirmed people."""

    #: (T,) int64.
    groups: IntArray
    #: (T,) int64.
    marks: IntArray

    def regroup(self, group_of: IntArray) -> "Marks":
        """The same marks on other groups: `group_of[old]` is the new one."""
        return Marks(group_of[self.groups], self.marks)

    def find_clashes(self, pairs: IntArray, group_count: int) -> BoolArray:
        """Tell which pairs share a mark.

        Args:
            pairs: (P, 2) int64 groups; no group is in two pairs.
            group_count: groups are numbered below this.

        Returns:
            (P,) bool.
        """
        pair_of = np.full(group_count, -1, np.int64)
        pair_of[pairs[:, 0]] = pair_of[pairs[:, 1]] = np.arange(len(pairs))
        pair = pair_of[self.groups]
        concerned = np.flatnonzero(pair >= 0)
        pair, mark, group = pair[concerned], self.marks[concerned], self.groups[concerned]
        order = np.lexsort((group, mark, pair))
        pair, mark, group = pair[order], mark[order], group[order]
        shared = (pair[1:] == pair[:-1]) & (mark[1:] == mark[:-1]) & (group[1:] != group[:-1])
        clashes = np.zeros(len(pairs), bool)
        clashes[pair[1:][shared]] = True
        return clashes


def mark_faces(photos: IntArray, constraints: Constraints) -> Marks:
    """One group for each face: its photo, and what people said about it.

    Args:
        photos: (N,) int64.
        constraints: rows below N; `together` is not looked at.
    """
    photo_marks = np.unique(photos, return_inverse=True)[1].astype(np.int64)
    next_mark = int(photo_marks.max(initial=-1)) + 1
    parted = next_mark + np.repeat(np.arange(len(constraints.apart)), 2)
    person = np.full(len(constraints.people), next_mark + len(constraints.apart))
    groups = np.concatenate([np.arange(len(photos)), constraints.apart.ravel(), constraints.people])
    marks = np.concatenate([photo_marks, parted, person])
    return Marks(*np.unique(np.stack([groups, marks]), axis=1))
