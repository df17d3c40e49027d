from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from facefleet.people.constraints import Constraints
from facefleet.people.face_set import FaceSet
from facefleet.people.joining import Joined, KnownFaces, join_faces
from facefleet.people.limits import learn_limits
from tests.unit.people.faces import SETTINGS, SmallAlbum, albums, cluster, draw_album, draw_constraints, same_cluster


def arrive(faces: FaceSet, new: int, constraints: Constraints | None = None) -> tuple[KnownFaces, Joined]:
    """The first `new` faces arrive after the others were clustered."""
    rows = np.arange(len(faces))
    rest = faces.take(rows[new:])
    known = KnownFaces(rest, cluster(rest))
    settings = replace(SETTINGS, limits=learn_limits(rest, known.labels, SETTINGS.curve))
    return known, join_faces(faces.take(rows[:new]), known, constraints or Constraints(), settings)


@settings(deadline=None)
@given(albums(), st.integers(0, 20), st.integers(0, 10_000))
def test_known_clusters_stay_and_nobody_is_in_a_photo_twice(album: SmallAlbum, new: int, seed: int) -> None:
    new = min(new, len(album.faces))
    decided = draw_constraints(seed, len(album.faces), 2)
    known, joined = arrive(album.faces, new, Constraints(apart=decided.apart))
    settled = known.labels >= 0
    assert (joined.known_labels[settled] == known.labels[settled]).all()
    labels = np.concatenate([joined.new_labels, joined.known_labels])
    one_photo = album.faces.photos[:, None] == album.faces.photos[None]
    assert not np.triu(same_cluster(labels) & one_photo, 1).any()
    woken = joined.known_labels[~settled]
    assert (np.isin(woken, known.labels) | np.isin(woken, joined.new_labels) | (woken < 0)).all()
    fresh = labels[labels > known.labels.max(initial=-1)]
    assert np.isin(fresh, joined.new_labels).all()
    first, second = decided.apart.T
    at_odds = (labels[first] == labels[second]) & (labels[first] >= 0)
    before = np.concatenate([np.full(new, -1), known.labels])
    assert (before[first[at_odds]] == labels[first[at_odds]]).all()


def test_faces_join_whom_they_would_be_with_at_once() -> None:
    album = draw_album(seed=4, count=150, people=6, scatter=0.5)
    _, joined = arrive(album.faces, 30)
    labels = np.concatenate([joined.new_labels, joined.known_labels])
    assert (same_cluster(labels) == (album.people[:, None] == album.people[None])).all()


def test_a_new_face_makes_a_cluster_with_those_that_were_too_few() -> None:
    templates = np.eye(2, dtype=np.float32)[[1, 1, 1, 0, 0, 0, 0, 0]]
    known, joined = arrive(FaceSet(templates, np.arange(8), np.full(8, 0.8, np.float32)), 1)
    assert known.labels.tolist() == [-1, -1, 0, 0, 0, 0, 0]
    assert joined.new_labels.tolist() == [1]
    assert joined.known_labels.tolist() == [1, 1, 0, 0, 0, 0, 0]


def test_known_clusters_do_not_merge_over_a_new_face() -> None:
    angles = np.deg2rad([35.0] + [0.0] * 4 + [70.0] * 4)
    templates = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    rows = np.arange(9)
    faces = FaceSet(templates, rows, np.full(9, 0.8, np.float32))
    known = KnownFaces(faces.take(rows[1:]), np.array([3] * 4 + [8] * 4))
    joined = join_faces(faces.take(rows[:1]), known, Constraints(), SETTINGS)
    assert joined.known_labels.tolist() == known.labels.tolist()


def test_a_new_face_that_is_not_somebody_starts_no_cluster_with_them() -> None:
    rows = np.arange(5)
    faces = FaceSet(np.tile(np.float32([[1, 0]]), (5, 1)), rows, np.full(5, 0.8, np.float32))
    known = KnownFaces(faces.take(rows[1:]), np.zeros(4, np.int64))
    assert join_faces(faces.take(rows[:1]), known, Constraints(), SETTINGS).new_labels.tolist() == [0]
    refused = join_faces(faces.take(rows[:1]), known, Constraints(apart=np.array([[0, 3]])), SETTINGS)
    assert refused.new_labels.tolist() == [-1]
