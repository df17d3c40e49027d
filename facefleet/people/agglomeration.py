"""Average linkage over the edges of a graph, with marks that keep groups apart."""

from dataclasses import dataclass

import numpy as np

from facefleet.people.face_set import FloatArray, IntArray
from facefleet.people.marks import Marks

#: Edges whose links are computed at once, so that memory stays bounded.
_EDGES_AT_ONCE = 32_768
#: A group takes in all whose link is at least this much of its best. At 1 it takes thirty times as many rounds.
_NEARLY_BEST = 0.9


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

    def merge(self, host_of: IntArray) -> "Groups":
        """Put each group into its host, which is its own; guests are empty then."""
        guests = np.flatnonzero(host_of != np.arange(len(host_of)))
        guests = guests[np.argsort(host_of[guests], kind="stable")]
        hosts, first = np.unique(host_of[guests], return_index=True)
        if len(hosts):
            self.sums[hosts] += np.add.reduceat(self.sums[guests], first)
            self.weights[hosts] += np.add.reduceat(self.weights[guests], first)
        self.sums[guests] = self.weights[guests] = 0.0
        return Groups(self.sums, self.weights, self.marks.regroup(host_of))

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


@dataclass(frozen=True, slots=True)
class Partition:
    """Which group each face is in."""

    groups: Groups
    #: (N,) int64.
    member_of: IntArray

    @property
    def sizes(self) -> IntArray:
        """(G,) int64: faces of each group."""
        return np.bincount(self.member_of, minlength=len(self.groups.weights))

    def cohesion(self, weights: FloatArray) -> FloatArray:
        """Mean cosine between two faces of a group: (G,) float32; a face alone has 1.

        Args:
            weights: (N,) float32 of the faces, with which the groups began.
        """
        groups = self.groups
        own = np.bincount(self.member_of, weights.astype(np.float64) ** 2, minlength=len(groups.weights))
        pairs = groups.weights.astype(np.float64) ** 2 - own
        products = np.einsum("gd,gd->g", groups.sums, groups.sums) - own
        several = self.sizes > 1
        return np.where(several, products / np.where(several, pairs, 1.0), 1.0).astype(np.float32)

    def merge(self, pairs: IntArray, min_link: float) -> "Partition":
        """Merge groups with their best partners, from the best links down, until none is good enough. Uses this up.

        Every group whose best link is also about the best of its larger partner joins it, so a large one takes in many
        at once. A pair that shares a mark is never looked at again, as marks are never lost; nor is one below the
        limit, as a mean of such links is below it too.

        Args:
            pairs: (E, 2) int64, faces whose groups may be linked; others never are, unless through these.
            min_link: smallest mean cosine of two groups that become one.

        Source: approximate average linkage on graphs, Dhulipala et al. 2022.
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
            chosen, guests, hosts = _choose_guests(pairs, links, groups.weights)
            host_of = np.arange(count)
            host_of[guests] = hosts
            refused = groups.marks.find_refused(host_of, rank_guests(guests, links[chosen], count))
            host_of[refused] = refused
            pairs, links = np.delete(pairs, chosen, axis=0), np.delete(links, chosen)
            changed = host_of != np.arange(count)
            changed[host_of[changed]] = True
            groups, member_of = groups.merge(host_of), host_of[member_of]
            stale = changed[pairs].any(axis=1)
            fresh = distinct_pairs(host_of[pairs[stale]], count)
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
    keys = np.sort((low * count + high)[low != high])  # np.unique hashes, which takes ten times as long
    keys = keys[np.diff(keys, prepend=-1) > 0]
    return np.stack([keys // count, keys % count], axis=1)


def rank_guests(guests: IntArray, links: FloatArray, count: int) -> IntArray:
    """(count,) int64: 0 for the best link; -1 for who is no guest."""
    rank = np.full(count, -1)
    rank[guests[np.lexsort((guests, -links))]] = np.arange(len(guests))
    return rank


def _choose_guests(pairs: IntArray, links: FloatArray, weights: FloatArray) -> tuple[IntArray, IntArray, IntArray]:
    """Choose pairs of which the smaller group joins the larger, which stays: their indices, guests and hosts."""
    first, second = pairs.T
    best = np.full(len(weights), -np.inf, np.float32)
    np.maximum.at(best, first, links)
    np.maximum.at(best, second, links)
    earliest = np.full(len(weights), len(pairs), np.int64)
    for ends in (first, second):
        top = np.flatnonzero(links == best[ends])
        np.minimum.at(earliest, ends[top], top)
    grows = weights[first] >= weights[second]
    guests, hosts = np.where(grows, second, first), np.where(grows, first, second)
    joins = (earliest[guests] == np.arange(len(pairs))) & (links >= _NEARLY_BEST * best[hosts])
    is_guest = np.zeros(len(weights), bool)
    is_guest[guests[joins]] = True
    chosen = np.flatnonzero(joins & ~is_guest[hosts])
    return chosen, guests[chosen], hosts[chosen]
