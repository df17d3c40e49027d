"""New faces beside clusters that stay as they are."""

from dataclasses import dataclass

import numpy as np

from facefleet.people.clustering import ClusterSettings, cluster_faces
from facefleet.people.constraints import Constraints
from facefleet.people.face_set import NOISE, FaceSet, IntArray, join_sets
from facefleet.people.neighbours import Neighbours, find_nearest

#: Faces of a cluster that tell what it looks like, beside those that are near: 32 tell no more.
SAMPLE_FACES = 16


@dataclass(frozen=True, slots=True)
class KnownFaces:
    """Faces that were clustered before."""

    #: K of them.
    faces: FaceSet
    #: (K,) int64, 0 or more; -1 belongs to no cluster.
    labels: IntArray


@dataclass(frozen=True, slots=True)
class Joined:
    """Where new faces belong. Labels above all known ones are new clusters."""

    #: (M,) int64; -1: outside.
    new_labels: IntArray
    #: (K,) int64: as they were, but for faces that were outside and are in a new cluster or a known one now.
    known_labels: IntArray


def join_faces(new: FaceSet, known: KnownFaces, constraints: Constraints, settings: ClusterSettings) -> Joined:
    """Let new faces join clusters, start some, or stay outside. Known clusters neither merge nor lose a face.

    What it costs depends on the faces that are given. Of a large album these are enough:

    - those among the nearest of a new face, `settings.neighbour_count` from `settings.near_limit(N)` on;
    - of each cluster that one of these is in, `SAMPLE_FACES` more, any: the nearest alone look more alike than it is;
    - all faces of the photos of new faces, and of the photos of those that belong to no cluster: nobody is in a photo
      twice.

    Args:
        new: M of them; photos are numbered as those of `known`.
        known: K of them.
        constraints: decisions about rows of `new` (0 to M - 1) and of `known` (M to M + K - 1).
        settings: the same as for clustering, with the limits that it learnt.
    """
    count = len(new)
    faces = join_sets(new, known.faces)
    undecided = np.concatenate([np.arange(count), count + np.flatnonzero(known.labels == NOISE)])
    near = _find_near(faces, undecided, settings)
    found = cluster_faces(faces, near, _settle(known.labels, count, constraints), settings)
    next_label = int(known.labels.max(initial=NOISE)) + 1
    label_of = _translate(found, np.concatenate([np.full(count, NOISE), known.labels]), count, next_label)
    labels = label_of[found]
    return Joined(labels[:count], np.where(known.labels == NOISE, labels[count:], known.labels))


def _find_near(faces: FaceSet, rows: IntArray, settings: ClusterSettings) -> Neighbours:
    """Nearest faces of these rows: those of faces that stay where they are do not matter."""
    limit = settings.near_limit(len(faces))
    near = find_nearest(faces.templates[rows], faces.templates, settings.neighbour_count + 1, limit)
    found = Neighbours(rows[near.rows], near.others, near.cosines)
    return found.take(np.flatnonzero(found.rows != found.others))


def _settle(labels: IntArray, first_row: int, constraints: Constraints) -> Constraints:
    """Known clusters as if people had confirmed each."""
    settled = np.flatnonzero(labels != NOISE)
    order = settled[np.argsort(labels[settled], kind="stable")]
    same = labels[order][1:] == labels[order][:-1]
    chain = np.stack([order[:-1][same], order[1:][same]], axis=1) + first_row
    anchors = np.unique(labels[settled], return_index=True)[1]
    return Constraints(
        together=np.concatenate([constraints.together, chain]),
        apart=constraints.apart,
        people=np.concatenate([constraints.people, settled[anchors] + first_row]),
    )


def _translate(found: IntArray, known: IntArray, new_count: int, next_label: int) -> IntArray:
    """The label of each found cluster: that of its known faces, else a new one if a new face is in it, else none.

    The last entry, which noise reads as it is numbered -1, is none as well.
    """
    label_of = np.full(int(found.max(initial=NOISE)) + 2, NOISE, np.int64)
    started = np.unique(found[:new_count])
    started = started[started != NOISE]
    label_of[started] = NOISE - 1
    settled = known != NOISE
    label_of[found[settled]] = known[settled]
    fresh = label_of == NOISE - 1
    label_of[fresh] = next_label + np.arange(fresh.sum())
    return label_of
