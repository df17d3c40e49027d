"""What people decided about faces: it wins over whatever the templates say."""

from dataclasses import dataclass, field

import numpy as np

from facefleet.people.face_set import IntArray


def _no_pairs() -> IntArray:
    return np.empty((0, 2), np.int64)


def _no_rows() -> IntArray:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Constraints:
    """Decisions about rows of a FaceSet.

    Faces of one photo are apart without being named here. `together` is transitive, so a chain is enough, and apart
    from one face is apart from all that are together with it. Where the two contradict each other, `together` wins:
    whoever keeps decisions drops the older one.
    """

    #: (M, 2) int64: one person, whatever they look like and even in one photo; they are a cluster whatever its size.
    together: IntArray = field(default_factory=_no_pairs)
    #: (K, 2) int64: two people.
    apart: IntArray = field(default_factory=_no_pairs)
    #: (P,) int64: one row of each confirmed person. No two of them share a cluster, and each has one, even if alone.
    people: IntArray = field(default_factory=_no_rows)

    def move(self, place: IntArray) -> "Constraints":
        """The same decisions when row r is row `place[r]`."""
        return Constraints(place[self.together], place[self.apart], place[self.people])
