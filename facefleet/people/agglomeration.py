"""Average linkage over the edges of a graph, with marks that keep groups apart."""

from dataclasses import dataclass

import numpy as np

from facefleet.people.face_set import FloatArray, IntArray
from facefleet.people.marks import Marks

#: Edges whose links are computed at once, so that memory stays bounded.
_EDGES_AT_ONCE = 65_536


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of faces, each as the weighted sum of its templates: enough for the mean cosine between two groups."""

    #: (G, D) float32.
    sums: FloatArray
    #: (G,) float32.
    weights: FloatArray
    marks: Marks

    def merge(self, pairs: IntArray) -> "Groups":
        """Put the second group of each pair into the first; nobody is in two pairs. The second is empty then."""
        first, second = pairs.T
        sums, weights = self.sums.copy(), self.weights.copy()
        sums[first] += sums[second]
        weights[first] += weights[second]
        return Groups(sums, weights, self.marks.regroup(renumber(pairs, len(weights))))

    def measure_links(self, pairs: IntArray) -> FloatArray:
        """Weighted mean cosine between the faces of two groups.

        Args:
            pairs: (E, 2) int64.

        Returns:
            (E,) float32.
        """
        links = np.empty(len(pairs), np.float32)
        for start in range(0, len(pairs), _EDGES_AT_ONCE):
            first, second = pairs[start : start + _EDGES_AT_ONCE].T
            dots = np.einsum("ed,ed->e", self.sums[first], self.sums[second])
            links[start : start + _EDGES_AT_ONCE] = dots / (self.weights[first] * self.weights[second])
        return links


def renumber(pairs: IntArray, count: int) -> IntArray:
    """(count,) int64: the group that each becomes when the second of every pair joins the first."""
    group_of = np.arange(count)
    group_of[pairs[:, 1]] = pairs[:, 0]
    return group_of


def agglomerate(groups: Groups, pairs: IntArray, min_link: float) -> IntArray:
    """Merge groups that are each other's best partner until no link is good enough.

    Reciprocal partners may be merged all at once: average linkage is reducible, so the order does not matter.

    Args:
        groups: to begin with.
        pairs: (E, 2) int64, groups that may be linked; others never are, unless through these.
        min_link: smallest mean cosine of two groups that become one.

    Returns:
        (G,) int64: the group that each ends in.

    Source: Murtagh 1983, reciprocal nearest neighbours.
    """
    count = len(groups.weights)
    member_of = np.arange(count)
    pairs = distinct_pairs(pairs, count)
    links = groups.measure_links(pairs)
    while True:
        pairs, links = pairs[links >= min_link], links[links >= min_link]
        if not len(pairs):
            return member_of
        chosen = _find_reciprocal(pairs, links, count)
        clashes = groups.marks.find_clashes(pairs[chosen], count)
        merged = pairs[chosen[~clashes]]
        kept = np.ones(len(pairs), bool)
        kept[chosen] = False
        pairs, links = pairs[kept], links[kept]
        groups = groups.merge(merged)
        group_of = renumber(merged, count)
        member_of = group_of[member_of]
        changed = np.zeros(count, bool)
        changed[merged[:, 0]] = changed[merged[:, 1]] = True
        stale = changed[pairs].any(axis=1)
        fresh = distinct_pairs(group_of[pairs[stale]], count)
        pairs = np.concatenate([pairs[~stale], fresh])
        links = np.concatenate([links[~stale], groups.measure_links(fresh)])


def distinct_pairs(pairs: IntArray, count: int) -> IntArray:
    """Each pair once, the smaller number first, sorted; no pair of a group with itself."""
    low, high = pairs.min(axis=1, initial=count), pairs.max(axis=1, initial=-1)
    keys = np.unique((low * count + high)[low != high])
    return np.stack([keys // count, keys % count], axis=1)


def _find_reciprocal(pairs: IntArray, links: FloatArray, count: int) -> IntArray:
    """Indices of the pairs that are the best one of both their groups; of equal ones the first."""
    first, second = pairs.T
    best = np.full(count, -np.inf, np.float32)
    np.maximum.at(best, first, links)
    np.maximum.at(best, second, links)
    candidates = np.flatnonzero((links == best[first]) & (links == best[second]))
    earliest = np.full(count, len(pairs), np.int64)
    np.minimum.at(earliest, first[candidates], candidates)
    np.minimum.at(earliest, second[candidates], candidates)
    own = (earliest[first[candidates]] == candidates) & (earliest[second[candidates]] == candidates)
    reciprocal: IntArray = candidates[own]
    return reciprocal
