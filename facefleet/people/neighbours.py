"""Nearest faces by cosine, exactly, in blocks of bounded memory."""

from dataclasses import dataclass

import numpy as np

from facefleet.people.face_set import FloatArray, IntArray

#: Rows that are compared with rows at once: 16 MB of cosines.
_BLOCK_ROWS = 2048


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Pairs of near faces, each pair once or twice, in no order: computed here, or asked from a gallery."""

    #: (E,) int64 rows of the faces that were asked about.
    rows: IntArray
    #: (E,) int64 rows of the faces that were found.
    others: IntArray
    #: (E,) float32.
    cosines: FloatArray


def find_neighbours(templates: FloatArray, count: int, min_cosine: float) -> Neighbours:
    """Find the nearest other faces of every face.

    Args:
        templates: (N, D) float32, L2 norm 1.
        count: at most this many for each face.
        min_cosine: inclusive.
    """
    found = find_nearest(templates, templates, count + 1, min_cosine)
    other = found.rows != found.others
    return Neighbours(found.rows[other], found.others[other], found.cosines[other])


def find_nearest(asked: FloatArray, known: FloatArray, count: int, min_cosine: float) -> Neighbours:
    """Find the nearest known faces of other faces.

    Args:
        asked: (M, D) float32, L2 norm 1.
        known: (N, D) float32, L2 norm 1.
        count: at most this many for each asked face.
        min_cosine: inclusive.

    Returns:
        `rows` of asked, `others` of known.
    """
    parts = [_no_neighbours()]
    for first in range(0, len(asked), _BLOCK_ROWS):
        block = asked[first : first + _BLOCK_ROWS]
        found = [_no_neighbours()]
        for start in range(0, len(known), _BLOCK_ROWS):
            cosines = block @ known[start : start + _BLOCK_ROWS].T
            rows, others = np.nonzero(cosines >= min_cosine)
            found.append(Neighbours(rows + first, others + start, cosines[rows, others]))
        parts.append(_keep_nearest(_concatenate(found), count))
    return _concatenate(parts)


def _keep_nearest(found: Neighbours, count: int) -> Neighbours:
    order = np.lexsort((found.others, -found.cosines, found.rows))
    rows = found.rows[order]
    rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
    kept = order[rank < count]
    return Neighbours(found.rows[kept], found.others[kept], found.cosines[kept])


def _no_neighbours() -> Neighbours:
    return Neighbours(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))


def _concatenate(parts: list[Neighbours]) -> Neighbours:
    return Neighbours(
        np.concatenate([each.rows for each in parts]),
        np.concatenate([each.others for each in parts]),
        np.concatenate([each.cosines for each in parts]),
    )
