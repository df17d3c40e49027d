"""Photos that arrive after an album was clustered."""

from dataclasses import replace

import numpy as np

from facefleet.people.clustering import ClusterSettings, cluster_faces
from facefleet.people.constraints import Constraints
from facefleet.people.face_set import NOISE, FaceSet, IntArray
from facefleet.people.joining import SAMPLE_FACES, KnownFaces, join_faces
from facefleet.people.limits import LinkLimits, learn_limits
from facefleet.people.neighbours import find_nearest, find_neighbours


class Arrivals:
    """An album that grows. Labels are those of its faces so far; -2 has not arrived."""

    def __init__(self, faces: FaceSet, settings: ClusterSettings) -> None:
        self.labels = np.full(len(faces), NOISE - 1)
        self._faces = faces
        self._settings = settings

    def cluster(self, rows: IntArray) -> None:
        """Let these arrive, and cluster all anew."""
        self.labels[rows] = NOISE
        there = np.flatnonzero(self.labels >= NOISE)
        self.labels[there] = cluster_album(self._faces.take(there), self._settings)
        learnt = learn_limits(self._faces.take(there), self.labels[there], self._settings.curve)
        self._settings = replace(self._settings, limits=learnt)

    @property
    def limits(self) -> LinkLimits:
        assert self._settings.limits
        return self._settings.limits

    def join(self, rows: IntArray) -> None:
        """Let these arrive, and join."""
        known = self.find_known(rows)
        before = self.labels[known]
        faces = KnownFaces(self._faces.take(known), before)
        joined = join_faces(self._faces.take(rows), faces, Constraints(), self._settings)
        # New clusters are numbered above those that were given, not above all.
        raised = int(self.labels.max()) - int(before.max(initial=NOISE))
        top = before.max(initial=NOISE)
        self.labels[rows] = np.where(joined.new_labels > top, joined.new_labels + raised, joined.new_labels)
        self.labels[known] = np.where(joined.known_labels > top, joined.known_labels + raised, joined.known_labels)

    def find_known(self, rows: IntArray) -> IntArray:
        """Rows of the faces that joining has to know."""
        faces, settings = self._faces, self._settings
        there = np.flatnonzero(self.labels >= NOISE)
        limit = settings.near_limit(len(there))
        near = there[
            find_nearest(faces.templates[rows], faces.templates[there], settings.neighbour_count, limit).others
        ]
        touched = np.flatnonzero(np.isin(self.labels, np.setdiff1d(self.labels[near], [NOISE])))
        touched = touched[np.argsort(self.labels[touched], kind="stable")]
        rank = np.arange(len(touched)) - np.searchsorted(self.labels[touched], self.labels[touched])
        strays = near[self.labels[near] == NOISE]
        photos = np.concatenate([faces.photos[rows], faces.photos[strays]])
        company = there[np.isin(faces.photos[there], photos)]
        return np.unique(np.concatenate([near, touched[rank < SAMPLE_FACES], company]))


def cluster_album(faces: FaceSet, settings: ClusterSettings) -> IntArray:
    """All at once."""
    near = find_neighbours(faces.templates, settings.neighbour_count, settings.near_limit(len(faces)))
    return cluster_faces(faces, near, Constraints(), settings)


def arrive_in_any_order(faces: FaceSet, settings: ClusterSettings, *, seed: int, share_at_once: float) -> IntArray:
    """Labels when a share of the photos is clustered at once and the others come five at a time, in an order of chance.

    All is clustered anew whenever the album has outgrown its limits.
    """
    photos = np.random.default_rng(seed).permutation(np.unique(faces.photos))
    first = max(int(share_at_once * len(photos)), 5)
    album = Arrivals(faces, settings)
    album.cluster(np.flatnonzero(np.isin(faces.photos, photos[:first])))
    for start in range(first, len(photos), 5):
        rows = np.flatnonzero(np.isin(faces.photos, photos[start : start + 5]))
        if album.limits.are_outgrown(int((album.labels >= NOISE).sum()) + len(rows)):
            album.cluster(rows)
        else:
            album.join(rows)
    return album.labels
