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
from facefleet.recognition.similarity import FAR_OF_PERCENT, SimilarityCurve

#: Calibrated similarities that every second stranger, one in ten, one in a hundred, and hardly any reaches.
_USUAL_PERCENT, _COMMON_PERCENT, _RARE_PERCENT, _STRICT_PERCENT = 10.0, 40.0, 60.0, 99.0
_USUAL_SHARE, _COMMON_SHARE, _RARE_SHARE = 0.5, 0.1, 0.01
#: So many strangers may crowd the nearest faces of a face; but what reaches this similarity is near anyhow.
_STRANGERS_PER_NEIGHBOUR, _NEAR_PERCENT = 4, 80.0
#: Standard deviations from the mean that one in a hundred is above.
_RARE_DEVIATIONS = 2.3263
#: The calibration of the pack counts as much as so many faces beside strangers.
_CALIBRATION_FACES = 200
#: At most so many of the next faces of its photo is a face measured against, and so many in all.
_COMPANY, _MOST_MEASURED = 4, 200_000
#: A face of somebody else finds so many clusters that reach the limit from which on groups become one.
_MERGE_RISK = 0.05
#: Rows of templates that are multiplied at once.
_ROWS_AT_ONCE = 32_768
#: Of all faces, at most so many join a wrong cluster although none of their own is there; of passers-by at most all.
#: So an album full of passers-by gets a stricter limit than one in which nearly everybody has a cluster.
_MOST_WRONG, _MOST_ATTACH_RISK, _LEAST_RISK = 0.01, 1.0, 1e-6
#: Never below what this share of strangers reaches, however few people an album has.
_MERGE_SHARE, _ATTACH_SHARE = 0.01, 0.1
#: How far the second best cluster must stay behind, in steps between common and rare.
_MARGIN_STEPS = 0.6
#: What chance does in one album of a hundred at most, as a natural logarithm.
_CHANCE_ODDS = 4.6


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """Mean cosines; to be kept with the clusters that they made, for faces that come later."""

    #: Two groups from here on are one person.
    merge: float
    #: A single face from here on joins the cluster that it is most alike ...
    attach: float
    #: ... when the second best is this much less alike.
    margin: float
    #: Cosines of two strangers: mean and standard deviation.
    stranger_mean: float
    stranger_deviation: float
    #: Faces among which strangers may look alike by chance.
    faces: int

    def are_outgrown(self, faces: int) -> bool:
        """Whether an album with so many faces should be clustered anew, since these were learnt from half as many."""
        return faces > 2 * self.faces

    def chance_cohesion(self, sizes: IntArray) -> FloatArray:
        """Mean cosine within a group that so many strangers hardly reach anywhere among all faces.

        There are N^n / n! groups of n faces; the mean of their n (n - 1) / 2 cosines is taken for normal. Of two faces
        it asks much, of ten nearly nothing.

        Args:
            sizes: (G,) int64.

        Returns:
            (G,) float32.
        """
        size = np.maximum(sizes, 2)
        log_factorials = np.concatenate([[0.0], np.log(np.arange(1, size.max(initial=2) + 1)).cumsum()])
        log_groups = np.maximum(size * math.log(max(self.faces, 2)) - log_factorials[size], 0.0)
        deviations = np.sqrt(2 * (log_groups + _CHANCE_ODDS) / (size * (size - 1) / 2))
        return np.asarray(self.stranger_mean + self.stranger_deviation * deviations, np.float32)


def near_limit(curve: SimilarityCurve, count: int, faces: int) -> float:
    """Smallest cosine of neighbours worth finding: hardly more strangers reach it than neighbours are asked for.

    Args:
        curve: what cosines of the model pack mean.
        count: neighbours that are asked for.
        faces: among which they are looked for.
    """
    percents, shares = zip(
        *(each for each in FAR_OF_PERCENT if _COMMON_PERCENT <= each[0] <= _NEAR_PERCENT), strict=True
    )
    share = _STRANGERS_PER_NEIGHBOUR * count / max(faces, 1)
    return curve.cosine(float(np.interp(-math.log10(share), -np.log10(shares), percents)))


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
    rows, others = _find_company(faces.photos, labels)
    usual, alike = _lean(
        _dots(faces.templates, rows, faces.templates, others),
        {_USUAL_SHARE: curve.cosine(_USUAL_PERCENT), _RARE_SHARE: curve.cosine(_RARE_PERCENT)},
    )
    common, rare = _lean(
        _measure_links(faces, labels, rows, others),
        {_COMMON_SHARE: curve.cosine(_COMMON_PERCENT), _RARE_SHARE: curve.cosine(_RARE_PERCENT)},
    )
    strays = max(int((labels == NOISE).sum()), 1)
    clusters = max(len(np.unique(labels[labels != NOISE])) - 1, 1)
    attach_risk = min(_MOST_WRONG * len(faces) / strays, _MOST_ATTACH_RISK)
    merge, attach = (
        rare + (rare - common) * math.log10(_RARE_SHARE / min(max(risk, _LEAST_RISK) / clusters, most))
        for risk, most in ((_MERGE_RISK, _MERGE_SHARE), (attach_risk, _ATTACH_SHARE))
    )
    return LinkLimits(
        merge=merge,
        attach=min(attach, merge),
        margin=_MARGIN_STEPS * (rare - common),
        stranger_mean=usual,
        stranger_deviation=(alike - usual) / _RARE_DEVIATIONS,
        faces=len(faces),
    )


def _lean(measured: FloatArray, calibrated: dict[float, float]) -> list[float]:
    """What these shares of strangers reach: as measured, leaning on the calibration the more the less was measured."""
    if not len(measured):
        return list(calibrated.values())
    trust = len(measured) / (len(measured) + _CALIBRATION_FACES)
    seen = np.quantile(measured, [1 - share for share in calibrated])
    return [trust * float(one) + (1 - trust) * other for one, other in zip(seen, calibrated.values(), strict=True)]


def _find_company(photos: IntArray, labels: IntArray) -> tuple[IntArray, IntArray]:
    """Rows of faces, and of others in the same photo that are not in the same cluster, which people may have said."""
    order = np.argsort(photos, kind="stable")
    rows, others = np.empty(0, np.int64), np.empty(0, np.int64)
    for step in range(1, min(_COMPANY + 1, len(photos))):
        first, second = order[:-step], order[step:]
        there = photos[first] == photos[second]
        rows = np.concatenate([rows, first[there], second[there]])
        others = np.concatenate([others, second[there], first[there]])
    apart = np.flatnonzero((labels[rows] != labels[others]) | (labels[rows] == NOISE))
    apart = apart[:: len(apart) // _MOST_MEASURED + 1]
    return rows[apart], others[apart]


def _measure_links(faces: FaceSet, labels: IntArray, rows: IntArray, others: IntArray) -> FloatArray:
    """Mean cosines of faces to the clusters of their company, for as much of it as is in one."""
    clustered = labels[others] != NOISE
    rows, company = rows[clustered], labels[others[clustered]]
    clusters = np.unique(company)
    members = np.flatnonzero(np.isin(labels, clusters))
    members = members[np.argsort(labels[members], kind="stable")]
    first = np.searchsorted(labels[members], clusters)
    sums = np.add.reduceat(faces.templates[members], first) if len(clusters) else faces.templates[:0]
    means = np.asarray(sums / np.diff(first, append=len(members))[:, None], np.float32)
    return _dots(faces.templates, rows, means, np.searchsorted(clusters, company))


def _dots(one: FloatArray, rows: IntArray, other: FloatArray, others: IntArray) -> FloatArray:
    """Products of rows of one with rows of the other, in parts that bound the memory of what is read for them."""
    dots = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        dots[part] = np.einsum("nd,nd->n", one[rows[part]], other[others[part]])
    return dots
