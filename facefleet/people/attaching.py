"""Faces that join a cluster but hold none together: blurred ones, and those that look like it only a little."""

import numpy as np

from facefleet.people.agglomeration import Groups, rank_guests
from facefleet.people.face_set import FloatArray, IntArray
from facefleet.people.limits import LinkLimits
from facefleet.people.neighbours import Neighbours, find_nearest


def attach_faces(
    groups: Groups, strays: IntArray, templates: FloatArray, clusters: IntArray, limits: LinkLimits
) -> IntArray:
    """Let each stray join the cluster that it is most alike, if no other comes close and none of its marks is there.

    Nothing is learnt from a stray: clusters stay what they were, so no chain of strays leads from one to another.

    Args:
        groups: clusters, and each stray as one of its own.
        strays: (S,) int64 groups.
        templates: (S, D) float32 of the strays.
        clusters: (C,) int64 groups.
        limits: how alike is enough.

    Returns:
        (G,) int64: the group that each ends in; all but strays in themselves.
    """
    group_of = np.arange(len(groups.weights))
    near = find_nearest(templates, groups.mean_templates(clusters), 2, limits.attach - limits.margin)
    best = _choose_best(near, limits)
    joining = strays[near.rows[best]]
    group_of[joining] = clusters[near.others[best]]
    refused = groups.marks.find_refused(group_of, rank_guests(joining, near.cosines[best], len(group_of)))
    group_of[refused] = refused
    return group_of


def _choose_best(near: Neighbours, limits: LinkLimits) -> IntArray:
    """Indices of the best of each stray, where it is good enough and the second best stays behind."""
    is_best = np.ones(len(near), bool)
    is_best[1:] = near.rows[1:] != near.rows[:-1]
    second = np.full(len(near), -np.inf, np.float32)
    second[:-1] = np.where(is_best[1:], -np.inf, near.cosines[1:])
    return np.flatnonzero(is_best & (near.cosines >= limits.attach) & (near.cosines - second >= limits.margin))
