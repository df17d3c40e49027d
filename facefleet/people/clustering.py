"""Faces to clusters, all at once."""

from dataclasses import dataclass, replace

import numpy as np

from facefleet.people.agglomeration import Groups, Partition, connect, distinct_pairs
from facefleet.people.attaching import attach_faces
from facefleet.people.constraints import Constraints
from facefleet.people.face_set import NOISE, BoolArray, FaceSet, FloatArray, IntArray
from facefleet.people.limits import LinkLimits, learn_limits, near_limit, strict_limit
from facefleet.people.marks import Marks, mark_faces
from facefleet.people.neighbours import Neighbours, find_neighbours
from facefleet.recognition.similarity import SimilarityCurve

#: A face weighs its quality, but not nothing.
_LEAST_WEIGHT = 0.05


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """How alike one person's faces are taken to look."""

    #: What a cosine of this model pack means.
    curve: SimilarityCurve
    #: Fewer faces than this are no cluster, unless people said so.
    min_cluster_size: int = 3
    #: Faces, itself included, that must be near a face for it to hold a cluster together; others only attach.
    min_samples: int = 2
    #: Calibrated similarity, 0-100 percent, that the faces of two groups must have on average to be one person.
    #: None: learnt from each album.
    cluster_epsilon: float | None = None
    #: Faces of a lower quality attach to a cluster but hold none together.
    min_quality: float = 0.05
    #: Nearest faces of a face that are looked at.
    neighbour_count: int = 16
    #: What clustering learnt from the album; for faces that come later.
    limits: LinkLimits | None = None

    def near_limit(self, faces: int) -> float:
        """Smallest cosine of neighbours that are worth finding among so many faces."""
        return near_limit(self.curve, self.neighbour_count, faces)

    def choose_limits(self, faces: FaceSet, labels: IntArray) -> LinkLimits:
        """What was set, was learnt before, or is learnt from these clusters."""
        learnt = self.limits or learn_limits(faces, labels, self.curve)
        if self.cluster_epsilon is None:
            return learnt
        merge = self.curve.cosine(self.cluster_epsilon)
        return replace(learnt, merge=merge, attach=min(learnt.attach, merge))


@dataclass(frozen=True, slots=True)
class _Scene:
    """What stays the same while groups of faces merge; a group is numbered as one of its faces."""

    faces: FaceSet
    neighbours: Neighbours
    constraints: Constraints
    settings: ClusterSettings
    #: Faces whose group is a cluster because people said so.
    confirmed: BoolArray
    #: One entry for each face and mark.
    marks: Marks
    #: (N,) float32: how much a face counts in its group.
    weights: FloatArray


def cluster_faces(
    faces: FaceSet, neighbours: Neighbours, constraints: Constraints, settings: ClusterSettings
) -> IntArray:
    """Tell people apart.

    Groups of faces merge by average linkage over the graph of nearest faces: first as far as no stranger ever is alike,
    then, once these groups tell what strangers look like in this album, as far as that allows. Faces that are left
    attach to the cluster they are most alike. Two faces of one photo are never in one cluster, unless people said so.

    Args:
        faces: N of them.
        neighbours: near faces among these, by `find_neighbours` with `settings.neighbour_count` and
            `settings.near_limit(N)`, or out of a gallery.
        constraints: what people decided about rows of `faces`.
        settings: of the model pack and the installation.

    Returns:
        (N,) int64 labels: 0 is the largest cluster; -1 belongs to none. Which faces are together does not depend on
        the order of rows.
    """
    order = _sort_faces(faces)
    place = np.argsort(order)
    scene = _set_scene(faces.take(order), neighbours.move(place), constraints.move(place), settings)
    strict = strict_limit(settings.curve)
    sure = _merge(scene, _start(scene), strict)
    merge = settings.choose_limits(scene.faces, _number(scene, sure, _find_clusters(scene, sure))).merge
    partition = _merge(scene, sure if merge <= strict else _start(scene), merge)
    return _attach(scene, partition)[place]


def _sort_faces(faces: FaceSet) -> IntArray:
    """An order that does not depend on that of the rows, but among faces that are alike in everything."""
    first, last = (faces.templates[:, column] for column in (0, -1))
    return np.lexsort((last, first, faces.qualities, faces.photos))


def _set_scene(faces: FaceSet, neighbours: Neighbours, constraints: Constraints, settings: ClusterSettings) -> _Scene:
    confirmed = np.zeros(len(faces), bool)
    confirmed[constraints.together] = confirmed[constraints.people] = True
    return _Scene(
        faces=faces,
        neighbours=neighbours,
        constraints=constraints,
        settings=settings,
        confirmed=confirmed,
        marks=mark_faces(faces.photos, constraints),
        weights=np.maximum(faces.qualities, np.float32(_LEAST_WEIGHT)),
    )


def _start(scene: _Scene) -> Partition:
    """Every face alone, but for those that people put together."""
    member_of = connect(scene.constraints.together, len(scene.faces))
    alone = Groups(scene.faces.templates * scene.weights[:, None], scene.weights.copy(), scene.marks)
    return Partition(alone.merge(member_of), member_of)


def _merge(scene: _Scene, partition: Partition, limit: float) -> Partition:
    """Merge over the graph of faces, and then over a graph of groups: large ones fill each other's nearest faces."""
    strong = _find_strong(scene, limit)
    near = scene.neighbours
    kept = np.flatnonzero((near.cosines >= limit) & strong[near.rows] & strong[near.others])
    partition = partition.merge(near.take(kept).pairs, limit)
    large = np.flatnonzero(partition.sizes >= scene.settings.min_cluster_size)
    means = partition.groups.mean_templates(large)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return partition.merge(large[find_neighbours(means, scene.settings.neighbour_count, limit).pairs], limit)


def _find_strong(scene: _Scene, limit: float) -> BoolArray:
    """Faces that hold clusters together: good ones with enough others near, and those that people confirmed."""
    faces, settings = scene.faces, scene.settings
    ends = distinct_pairs(scene.neighbours.take(np.flatnonzero(scene.neighbours.cosines >= limit)).pairs, len(faces))
    near = np.bincount(ends.ravel(), minlength=len(faces)) + 1
    return scene.confirmed | ((faces.qualities >= settings.min_quality) & (near >= settings.min_samples))


def _find_clusters(scene: _Scene, partition: Partition) -> BoolArray:
    """(N,) bool: groups that are large enough to be a cluster, or that people confirmed."""
    kept = partition.sizes >= scene.settings.min_cluster_size
    kept[partition.member_of[scene.confirmed]] = True
    return kept


def _number(scene: _Scene, partition: Partition, kept: BoolArray) -> IntArray:
    """Number these groups by size; the others are noise."""
    count = len(scene.faces)
    order = np.lexsort((np.arange(count), -partition.sizes, ~kept))[: kept.sum()]
    number = np.full(count, NOISE, np.int64)
    number[order] = np.arange(len(order))
    return number[partition.member_of]


def _attach(scene: _Scene, partition: Partition) -> IntArray:
    """Dissolve clusters that may be chance, and let faces without a cluster join one, each on its own."""
    kept = _find_clusters(scene, partition)
    limits = scene.settings.choose_limits(scene.faces, _number(scene, partition, kept))
    by_chance = limits.chance_cohesion(partition.sizes) > partition.cohesion(scene.weights)
    by_chance[partition.member_of[scene.confirmed]] = False
    kept &= ~by_chance
    strays = np.flatnonzero(~kept[partition.member_of])
    member_of = partition.member_of.copy()
    member_of[strays] = strays
    groups = Groups(partition.groups.sums, partition.groups.weights, scene.marks.regroup(member_of))
    attached = attach_faces(groups, strays, scene.faces.templates[strays], np.flatnonzero(kept), limits)
    return _number(scene, Partition(groups, attached[member_of]), kept)
