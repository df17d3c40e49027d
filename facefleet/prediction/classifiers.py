"""Three ways to say who of some people a template looks like most. Each is fitted to the same faces."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np

from facefleet.people.face_set import FloatArray, IntArray
from facefleet.prediction.labelled_faces import LabelledFaces
from facefleet.prediction_records import Classifier

#: Numbers of a vector that is reduced for *fast*.
_REDUCED_DIMENSIONS = 64
#: Regularisation of *balanced*, in mean variances of one of the template's numbers. Between 5 and 20 it matters little.
_RIDGE = 10.0
#: Nearest faces that vote in *accurate*: who gets a vote is looked at closer.
_VOTERS = 16
#: Nearest faces of a person that count when they are looked at closer.
_NEAREST = 3
#: Templates that are compared with all faces at once.
_BLOCK_ROWS = 256


@dataclass(frozen=True, slots=True)
class Likeliest:
    """Who each of M templates looks like most, and how much; scores of two classifiers have nothing in common."""

    #: (M,) int64.
    people: IntArray
    #: (M,) float32.
    scores: FloatArray


class Fitted(Protocol):
    """A classifier that has learnt. Safe to call from several threads."""

    def find_likeliest(self, templates: FloatArray) -> Likeliest:
        """Say who each template looks like most.

        Args:
            templates: (M, D) float32, L2 norm 1.
        """


@dataclass(frozen=True, slots=True)
class ReducedCentroids:
    """Cosine to the nearest centroid, of vectors reduced to the directions in which centroids differ most.

    The asked vector is not normalised again: what it has in common with no centroid still counts against it. Then a
    reduced product is the best that so few numbers can say about the whole one (Eckart and Young 1936), and with fewer
    people than numbers it is exact.
    """

    #: (D, R) float32 orthonormal columns.
    basis: FloatArray
    #: (R, P) float32.
    centroids: FloatArray

    def find_likeliest(self, templates: FloatArray) -> Likeliest:
        """Take the nearest centroid."""
        return _take_best(np.asarray(templates @ self.basis @ self.centroids, np.float32))


@dataclass(frozen=True, slots=True)
class LinearModel:
    """One linear function for each person, 1 on its faces and 0 on all others."""

    #: (D, P) float32.
    weights: FloatArray

    def find_likeliest(self, templates: FloatArray) -> Likeliest:
        """Take the person whose function is highest."""
        return _take_best(templates @ self.weights)


@dataclass(frozen=True, slots=True)
class GalleryVote:
    """Nearest faces vote; who got a vote is scored by its centroid and its own nearest faces, half and half."""

    faces: LabelledFaces
    #: (P, D) float32, L2 norm 1.
    centroids: FloatArray
    #: (P + 1,) int64: where the faces of each person begin.
    starts: IntArray

    def find_likeliest(self, templates: FloatArray) -> Likeliest:
        """Let the faces vote, and score those who got a vote."""
        found: list[tuple[int, float]] = []
        for first in range(0, len(templates), _BLOCK_ROWS):
            block = templates[first : first + _BLOCK_ROWS]
            cosines = block @ self.faces.templates.T
            found += [self._rescore(*each) for each in zip(block, cosines, strict=True)]
        people, scores = zip(*found, strict=True) if found else ((), ())
        return Likeliest(np.array(people, np.int64), np.array(scores, np.float32))

    def _rescore(self, template: FloatArray, cosines: FloatArray) -> tuple[int, float]:
        voters = np.argpartition(cosines, -_VOTERS)[-_VOTERS:] if len(cosines) > _VOTERS else np.arange(len(cosines))
        shortlist = np.unique(self.faces.people[voters])
        to_centroid = self.centroids[shortlist] @ template
        to_nearest = [self._mean_of_nearest(cosines, person) for person in shortlist.tolist()]
        scores = (to_centroid + np.array(to_nearest, np.float32)) / 2
        best = int(scores.argmax())
        return int(shortlist[best]), float(scores[best])

    def _mean_of_nearest(self, cosines: FloatArray, person: int) -> float:
        mine = np.sort(cosines[self.starts[person] : self.starts[person + 1]])
        return float(mine[-_NEAREST:].mean())


def fit_reduced_centroids(faces: LabelledFaces) -> ReducedCentroids:
    """Find the directions in which the centroids have most of their length."""
    centroids = faces.centroids()
    # The triangle has the same right singular vectors, and at most D rows.
    _, _, directions = np.linalg.svd(np.linalg.qr(centroids, mode="r"), full_matrices=False)
    basis = np.ascontiguousarray(directions[:_REDUCED_DIMENSIONS].T, np.float32)
    return ReducedCentroids(basis, np.ascontiguousarray((centroids @ basis).T, np.float32))


def fit_linear_model(faces: LabelledFaces) -> LinearModel:
    """Solve one-against-all ridge regression (Hoerl and Kennard 1970); every person weighs as much as any other."""
    weight = (1.0 / faces.faces_of_each[faces.people] / faces.count).astype(np.float32)
    weighted = faces.templates * weight[:, np.newaxis]
    covariance = weighted.T @ faces.templates
    dimensions = len(covariance)
    # Templates have length 1, so that the mean variance is 1 / D.
    covariance[np.diag_indices(dimensions)] += _RIDGE / dimensions
    starts = np.searchsorted(faces.people, np.arange(faces.count))
    wanted = np.add.reduceat(weighted, starts, axis=0).T
    # Times P: a score does not shrink as people become more.
    return LinearModel((np.linalg.solve(covariance, wanted) * faces.count).astype(np.float32))


def fit_gallery_vote(faces: LabelledFaces) -> GalleryVote:
    """Keep the faces."""
    return GalleryVote(faces, faces.centroids(), np.searchsorted(faces.people, np.arange(faces.count + 1)))


FIT: Mapping[Classifier, Callable[[LabelledFaces], Fitted]] = MappingProxyType(
    {
        Classifier.FAST: fit_reduced_centroids,
        Classifier.BALANCED: fit_linear_model,
        Classifier.ACCURATE: fit_gallery_vote,
    }
)


def _take_best(scores: FloatArray) -> Likeliest:
    """Take the column of the highest score of each row."""
    best = scores.argmax(axis=1)
    return Likeliest(best.astype(np.int64), scores[np.arange(len(scores)), best])
