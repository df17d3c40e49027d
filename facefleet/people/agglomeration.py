"""Average linkage over the edges of a graph, with marks that keep groups apart."""

from dataclasses import dataclass

import numpy as np

from facefleet.people.face_set import FloatArray, IntArray
from facefleet.people.marks import Marks

#: Edges whose links are computed at once, so that memory stays bounded.
_EDGES_AT_ONCE = 32_768


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of faces, each as the weighted sum of its templates: enough for the mean cosine between two groups.

    Owned by one `Partition` at a time, which merges in place: rows of `sums` are too many to copy each round.
    """

    #: (G, D) float32; zeros for a group that is empty.
    sums: FloatArray
    #: (G,) float32.
    weights: FloatArray
    marks: Marks

    def merge(self, pairs: IntArray) -> "Groups":
        """Put the second group of each pair into the first; nobody is in two pairs. The second is empty then."""
        first, second = pairs.T
        self.sums[first] += self.sums[second]
        self.weights[first] += self.weights[second]
        self.sums[second] = self.weights[second] = 0.0
        return Groups(self.sums, self.weights, self.marks.regroup(renumber(pairs, len(self.weights))))

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

    def mean_templates(self, groups: IntArray) -> FloatArray:
        """(len(groups), D) float32: its product with a template is the mean cosine to the faces of the group."""
        means: FloatArray = self.sums[groups] / self.weights[groups, None]
        return means


def renumber(pairs: IntArray, count: int) -> IntArray:
    """(count,) int64: the group that each becomes when the second of every pair joins the first."""
    group_of = np.arange(count)
    group_of[pairs[:, 1]] = pairs[:, 0]
    return group_of


@dataclass(frozen=True, slots=True)
class Partition:
    """Which group each face is in."""

    groups: Groups
    #: (N,) int64.
    member_of: IntArray

    def merge(self, pairs: IntArray, min_link: float) -> "Partition":
        """Merge groups that are each other's best partner until no link is good enough. Uses this partition up.

        Reciprocal partners may be merged all at once: average linkage is reducible, so the order does not matter. A
        pair that shares a mark is never looked at again, as marks are never lost; nor is one below the limit, as a mean
        of such links is below it too.

        Args:
            pairs: (E, 2) int64, faces whose groups may be linked; others never are, unless through these.
            min_link: smallest mean cosine of two groups that become one.

        Source: Murtagh 1983, reciprocal nearest neighbours.
        """
        groups, member_of = self.groups, self.member_of
        count = len(groups.weights)
        pairs = distinct_pairs(member_of[pairs], count)
        links = groups.measure_links(pairs)
        while True:
            good = links >= min_link
            pairs, links = pairs[good], links[good]
            if not len(pairs):
                return Partition(groups, member_of)
            chosen = _find_reciprocal(pairs, links, count)
            merged = pairs[chosen[~groups.marks.find_clashes(pairs[chosen], count)]]
            groups, group_of = groups.merge(merged), renumber(merged, count)
            member_of = group_of[member_of]
            pairs, links = np.delete(pairs, chosen, axis=0), np.delete(links, chosen)
            changed = np.zeros(count, bool)
            changed[merged] = True
            stale = changed[pairs].any(axis=1)
            fresh = distinct_pairs(group_of[pairs[stale]], count)
            pairs = np.concatenate([pairs[~stale], fresh])
            links = np.concatenate([links[~stale], groups.measure_links(fresh)])


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
