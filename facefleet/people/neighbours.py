"""Nearest faces by cosine, exactly, in blocks, so that memory is bounded by what is kept."""

from dataclasses import dataclass

import numpy as np

from facefleet.people.face_set import FloatArray, IntArray

#: Rows that are compared with rows at once: 4 MB of cosines, which the cache of a core holds.
_BLOCK_ROWS = 1024
#: Pairs that are gathered before all but the nearest are dropped: this many, or as many as may be kept.
_LEAST_GATHERED = 1_000_000


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Pairs of near faces, each once or twice, in no order: computed here, or asked from a gallery."""

    #: (E,) int64 rows of the faces that were asked about.
    rows: IntArray
    #: (E,) int64 rows of the faces that were found.
    others: IntArray
    #: (E,) float32.
    cosines: FloatArray

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def pairs(self) -> IntArray:
        """(E, 2) int64."""
        return np.stack([self.rows, self.others], axis=1)

    def take(self, kept: IntArray) -> "Neighbours":
        """Those of these indices."""
        return Neighbours(self.rows[kept], self.others[kept], self.cosines[kept])

    def move(self, place: IntArray) -> "Neighbours":
        """The same pairs when row r is row `place[r]`."""
        return Neighbours(place[self.rows], place[self.others], self.cosines)


def find_neighbours(templates: FloatArray, count: int, min_cosine: float) -> Neighbours:
    """Find pairs of near faces; a pair is found once, when either is among the nearest of the other.

    Args:
        templates: (N, D) float32, L2 norm 1.
        count: nearest faces of each face.
        min_cosine: inclusive.
    """
    total = len(templates)
    floors = np.full(total, min_cosine, np.float32)
    most = max(_LEAST_GATHERED, count * total)
    found, gathered = _nothing(), 0
    waiting = [found]
    for first in range(0, total, _BLOCK_ROWS):
        for second in range(first, total, _BLOCK_ROWS):
            near = _compare(templates, first, second, floors)
            waiting.append(near)
            gathered += len(near)
            if gathered > most:
                found = _keep_nearest(_join([found, *waiting]), count, floors)
                waiting, gathered = [], 0
    return _keep_nearest(_join([found, *waiting]), count, floors)


def _compare(templates: FloatArray, first: int, second: int, floors: FloatArray) -> Neighbours:
    """Pairs between two blocks that reach the floor of one of their faces, each once."""
    one, other = templates[first : first + _BLOCK_ROWS], templates[second : second + _BLOCK_ROWS]
    lowest = min(floors[first : first + len(one)].min(), floors[second : second + len(other)].min())
    cosines = (one @ other.T).ravel()
    places = np.flatnonzero(cosines >= lowest)
    rows, others = np.divmod(places, len(other))
    found = Neighbours(rows + first, others + second, cosines[places])
    reaches = found.cosines >= np.minimum(floors[found.rows], floors[found.others])
    return found.take(np.flatnonzero(reaches & (found.rows < found.others)))


def _keep_nearest(found: Neighbours, count: int, floors: FloatArray) -> Neighbours:
    """Drop pairs that are among the nearest of neither face, and raise the floors to the last that counts."""
    ends = np.concatenate([found.rows, found.others])
    pair = np.concatenate([np.arange(len(found)), np.arange(len(found))])
    order = np.lexsort((pair, -found.cosines[pair], ends))
    ends, pair = ends[order], pair[order]
    rank = np.arange(len(ends)) - np.searchsorted(ends, ends)
    last = rank == count - 1
    floors[ends[last]] = found.cosines[pair[last]]
    return found.take(np.unique(pair[rank < count]))


def find_nearest(asked: FloatArray, known: FloatArray, count: int, min_cosine: float) -> Neighbours:
    """Find the nearest known faces of other faces.

    Args:
        asked: (M, D) float32, L2 norm 1.
        known: (N, D) float32, L2 norm 1, or less for the mean of several: then it is the mean cosine that counts.
        count: at most this many for each asked face.
        min_cosine: inclusive.

    Returns:
        `rows` of asked, ascending, `others` of known, the nearest of each row first.
    """
    parts = [_nothing()]
    for first in range(0, len(asked), _BLOCK_ROWS):
        block = asked[first : first + _BLOCK_ROWS]
        found = _nothing()
        for second in range(0, len(known), _BLOCK_ROWS):
            other = known[second : second + _BLOCK_ROWS]
            cosines = (block @ other.T).ravel()
            places = np.flatnonzero(cosines >= min_cosine)
            rows, others = np.divmod(places, len(other))
            found = _keep_first(_join([found, Neighbours(rows + first, others + second, cosines[places])]), count)
        parts.append(found)
    return _join(parts)


def _keep_first(found: Neighbours, count: int) -> Neighbours:
    order = np.lexsort((found.others, -found.cosines, found.rows))
    rows = found.rows[order]
    rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
    return found.take(order[rank < count])


def _nothing() -> Neighbours:
    return Neighbours(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))


def _join(parts: list[Neighbours]) -> Neighbours:
    return Neighbours(
        np.concatenate([each.rows for each in parts]),
        np.concatenate([each.others for each in parts]),
        np.concatenate([each.cosines for each in parts]),
    )
