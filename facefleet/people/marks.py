"""What two faces that must not share a cluster have in common: marks, of which a cluster holds each once."""

from dataclasses import dataclass

import numpy as np

from facefleet.people.constraints import Constraints
from facefleet.people.face_set import IntArray


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

    def find_refused(self, host_of: IntArray, rank: IntArray) -> IntArray:
        """Find guests that would bring a mark that their host has, or that a guest of a better rank brings.

        Args:
            host_of: (G,) int64: the group that each joins; a host is its own.
            rank: (G,) int64: 0 for the best guest; -1 for who is no guest.

        Returns:
            Groups, some perhaps twice.
        """
        host, rank = host_of[self.groups], rank[self.groups]
        concerned = np.flatnonzero(np.isin(host, host[rank >= 0]))
        order = concerned[np.lexsort((rank[concerned], self.marks[concerned], host[concerned]))]
        host, mark = host[order], self.marks[order]
        repeated = order[1:][(host[1:] == host[:-1]) & (mark[1:] == mark[:-1])]
        refused: IntArray = self.groups[repeated[rank[repeated] >= 0]]
        return refused


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
