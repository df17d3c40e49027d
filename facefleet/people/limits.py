"""How alike two groups of faces must look to be one person: learnt from the album itself.

Two faces in one photo are two people. So every photo of several people says what strangers look like to this model
among these very people, without anybody having labelled them; an album with few such photos leans on the calibration
of the model pack. The more people an album has, the more often one of them looks like another: the limit is set so
that the risk of a face stays the same.
"""

import math
from dataclasses import dataclass

import numpy as np

from facefleet.people.face_set import NOISE, FaceSet, FloatArray, IntArray
from facefleet.recognition.similarity import SimilarityCurve

#: Calibrated similarities that one stranger in ten, and one in a hundred, reaches: see `FAR_OF_PERCENT`.
_COMMON_PERCENT, _RARE_PERCENT, _STRICT_PERCENT = 40.0, 60.0, 99.0
_COMMON_SHARE, _RARE_SHARE = 0.1, 0.01
#: The calibration of the pack counts as much as so many faces beside strangers.
_CALIBRATION_FACES = 200
#: At most so many of the next faces of its photo is a face measured against, and so many in all.
_COMPANY, _MOST_MEASURED = 4, 200_000
#: A face of somebody else finds so many clusters that reach the limit: for groups that become one, and for a single
#: face that joins one if no other comes close. F1 is level from 0.02 to 0.1, and from 0.3 to 2.
_MERGE_RISK, _ATTACH_RISK = 0.07, 1.0
#: Never below what this share of strangers reaches, however few people an album has.
_MERGE_SHARE, _ATTACH_SHARE = 0.01, 0.1
#: How far the second best cluster must stay behind, in steps between common and rare.
_MARGIN_STEPS = 0.6


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """Mean cosines; three numbers to be kept with the clusters that they made, for faces that come later."""

    #: Two groups from here on are one person.
    merge: float
    #: A single face from here on joins the cluster that it is most alike ...
    attach: float
    #: ... when the second best is this much less alike.
    margin: float


def strict_limit(curve: SimilarityCurve) -> float:
    """A mean cosine that is hardly ever reached by two people."""
    return curve.cosine(_STRICT_PERCENT)


def learn_limits(faces: FaceSet, labels: IntArray, curve: SimilarityCurve) -> LinkLimits:
    """Learn from clusters what tells people of this album apart.

    Args:
        faces: N of them.
        labels: (N,) int64 of clusters that are people, whole or in parts; -1 belongs to none.
        curve: what cosines of the model pack mean.
    """
    links = _measure_strangers(faces, labels)
    common, rare = curve.cosine(_COMMON_PERCENT), curve.cosine(_RARE_PERCENT)
    if len(links):
        trust = len(links) / (len(links) + _CALIBRATION_FACES)
        seen_common, seen_rare = np.quantile(links, [1 - _COMMON_SHARE, 1 - _RARE_SHARE])
        common += trust * (float(seen_common) - common)
        rare += trust * (float(seen_rare) - rare)
    others = max(len(np.unique(labels[labels != NOISE])) - 1, 1)
    step = rare - common
    merge, attach = (
        rare + step * math.log10(_RARE_SHARE / min(risk / others, most))
        for risk, most in ((_MERGE_RISK, _MERGE_SHARE), (_ATTACH_RISK, _ATTACH_SHARE))
    )
    return LinkLimits(merge=merge, attach=min(attach, merge), margin=_MARGIN_STEPS * step)


def _measure_strangers(faces: FaceSet, labels: IntArray) -> FloatArray:
    """Mean cosine of a face to the cluster of another face in its photo: (S,) float32."""
    order = np.argsort(faces.photos, kind="stable")
    rows, company = _pair_up(faces.photos[order])
    rows, company = order[rows], labels[order[company]]
    kept = np.flatnonzero((company != NOISE) & (labels[rows] != company))
    kept = kept[:: len(kept) // _MOST_MEASURED + 1]
    rows, company = rows[kept], company[kept]
    clusters, cluster_of = np.unique(company, return_inverse=True)
    sums = np.zeros((len(clusters), faces.templates.shape[1]), np.float32)
    sizes = np.zeros(len(clusters), np.float32)
    members = np.flatnonzero(np.isin(labels, clusters))
    place = np.searchsorted(clusters, labels[members])
    np.add.at(sums, place, faces.templates[members])
    np.add.at(sizes, place, 1)
    dots = [
        np.einsum("nd,nd->n", faces.templates[part], sums[to])
        for part, to in zip(_split(rows), _split(cluster_of), strict=True)
    ]
    return (np.concatenate(dots) / sizes[cluster_of]).astype(np.float32)


def _pair_up(photos: IntArray) -> tuple[IntArray, IntArray]:
    """Places of faces with the next few of their photo, both ways round; `photos` is sorted."""
    count = len(photos)
    near = [(np.arange(count - step), np.arange(step, count)) for step in range(1, min(_COMPANY + 1, count))]
    first = np.concatenate([one for one, _ in near] or [np.empty(0, np.int64)])
    second = np.concatenate([other for _, other in near] or [np.empty(0, np.int64)])
    same = photos[first] == photos[second]
    first, second = first[same], second[same]
    return np.concatenate([first, second]), np.concatenate([second, first])


def _split(rows: IntArray) -> list[IntArray]:
    """Parts that bound the memory of what is read for them; one at least."""
    return np.array_split(rows, len(rows) // 65_536 + 1)
