from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facefleet.people.agglomeration import connect
from facefleet.people.constraints import Constraints
from facefleet.people.face_set import FaceSet, IntArray
from tests.unit.people.faces import SETTINGS, SmallAlbum, albums, cluster, draw_album, draw_constraints, same_cluster

seeds = st.integers(0, 10_000)


def set_of(
    templates: list[list[float]], photos: list[int] | None = None, qualities: list[float] | None = None
) -> FaceSet:
    rows = np.array(templates, np.float32)
    return FaceSet(
        rows / np.linalg.norm(rows, axis=1, keepdims=True),
        np.arange(len(rows)) if photos is None else np.array(photos),
        np.full(len(rows), 0.8, np.float32) if qualities is None else np.array(qualities, np.float32),
    )


@settings(deadline=None)
@given(albums())
def test_two_faces_of_one_photo_are_never_in_one_cluster(album: SmallAlbum) -> None:
    together = same_cluster(cluster(album.faces))
    one_photo = album.faces.photos[:, None] == album.faces.photos[None]
    assert not np.triu(together & one_photo, 1).any()


@settings(deadline=None)
@given(albums(), seeds, st.integers(0, 6))
def test_what_people_decided_holds(album: SmallAlbum, seed: int, pairs: int) -> None:
    constraints = draw_constraints(seed, len(album.faces), pairs)
    labels = cluster(album.faces, constraints)
    first, second = labels[constraints.together].T
    assert (first == second).all()
    assert (first >= 0).all()
    assert (labels[constraints.people] >= 0).all()
    group = connect(constraints.together, len(album.faces))
    persons = np.unique(group[constraints.people])
    assert len(np.unique(labels[persons])) == len(persons)
    contradicted = group[constraints.apart][:, 0] == group[constraints.apart][:, 1]
    one, other = labels[constraints.apart[~contradicted]].T
    assert ((one != other) | (one < 0)).all()


@settings(deadline=None)
@given(albums(least_scatter=0.1), seeds, st.integers(0, 4))
def test_the_order_of_faces_changes_nothing(album: SmallAlbum, seed: int, pairs: int) -> None:
    constraints = draw_constraints(seed, len(album.faces), pairs)
    order = np.random.default_rng(seed).permutation(len(album.faces))
    shuffled = cluster(album.faces.take(order), constraints.move(np.argsort(order)))
    expected = same_cluster(cluster(album.faces, constraints))
    assert (same_cluster(shuffled) == expected[np.ix_(order, order)]).all()


def test_people_are_told_apart() -> None:
    album = draw_album(seed=1, count=120, people=5, scatter=0.5)
    labels = cluster(album.faces)
    assert (same_cluster(labels) == (album.people[:, None] == album.people[None])).all()
    sizes = np.bincount(labels)
    assert (np.diff(sizes) <= 0).all()


def test_strangers_stay_noise() -> None:
    rng = np.random.default_rng(5)
    strangers = set_of(rng.normal(size=(300, 128)).tolist(), photos=np.repeat(np.arange(100), 3).tolist())
    assert (cluster(strangers) == -1).all()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_faces_are_noise(count: int) -> None:
    assert cluster(draw_album(seed=1, count=count).faces).tolist() == [-1] * count


def test_identical_templates_are_one_person() -> None:
    assert cluster(set_of([[1, 0, 0]] * 50)).tolist() == [0] * 50


def test_identical_templates_in_few_photos_are_parted() -> None:
    labels = cluster(set_of([[1, 0, 0]] * 8, photos=[0, 0, 1, 1, 2, 2, 3, 3]))
    assert sorted(labels.tolist()) == [0, 0, 0, 0, 1, 1, 1, 1]


def test_faces_of_one_photo_alone_are_noise() -> None:
    assert (cluster(set_of([[1, 0, 0]] * 20, photos=[7] * 20)) == -1).all()


@pytest.mark.parametrize(
    ("templates", "photos", "qualities"),
    [
        ([[np.nan, 0.0]], [0], [1.0]),
        ([[np.inf, 0.0]], [0], [1.0]),
        ([[0.0, 0.0]], [0], [1.0]),
        ([[3.0, 0.0]], [0], [1.0]),
        ([[1.0, 0.0]], [0], [np.nan]),
        ([[1.0, 0.0]], [0, 1], [1.0]),
        ([1.0, 0.0], [0, 1], [1.0, 1.0]),
    ],
)
def test_what_is_no_face_set_is_refused(
    templates: list[list[float]], photos: list[int], qualities: list[float]
) -> None:
    with pytest.raises(ValueError, match=r"template|quality"):
        FaceSet(np.array(templates, np.float32), np.array(photos), np.array(qualities, np.float32))


def chain_between(quality: float) -> IntArray:
    """Two people at right angles, with five good faces each, and faces that lead step by step from one to the other."""
    angles = [0.0] * 5 + [90.0] * 5 + [15.0, 30.0, 45.0, 60.0, 75.0]
    radians = np.deg2rad(angles)
    templates = np.stack([np.cos(radians), np.sin(radians)], axis=1).tolist()
    return cluster(set_of(templates, qualities=[0.8] * 10 + [quality] * 5))


def test_blurred_faces_attach_but_do_not_bridge() -> None:
    labels = chain_between(quality=0.01)
    assert len(set(labels[:5])) == len(set(labels[5:10])) == 1
    assert labels[0] != labels[5]
    assert labels[10] == labels[0]
    assert labels[14] == labels[5]
    assert labels[12] == -1


def test_a_blurred_face_is_no_cluster() -> None:
    assert (cluster(set_of([[1, 0, 0]] * 9, qualities=[0.01] * 9)) == -1).all()


def test_blurred_faces_attach_one_to_a_photo() -> None:
    labels = cluster(set_of([[1, 0, 0]] * 7, photos=[0, 1, 2, 3, 4, 4, 0], qualities=[0.8] * 4 + [0.01] * 3))
    assert labels[:4].tolist() == [0] * 4
    assert sorted(labels[4:6].tolist()) == [-1, 0]
    assert labels[6] == -1


def test_sizes_and_density_are_settings() -> None:
    three = set_of([[1, 0, 0]] * 3)
    assert cluster(three).tolist() == [0, 0, 0]
    assert cluster(three, settings=replace(SETTINGS, min_cluster_size=4)).tolist() == [-1] * 3
    assert cluster(three, settings=replace(SETTINGS, min_samples=4)).tolist() == [-1] * 3
    assert cluster(set_of([[1, 0, 0]] * 4), settings=replace(SETTINGS, min_samples=4)).tolist() == [0] * 4


def test_a_fixed_epsilon_is_obeyed() -> None:
    radians = np.deg2rad([0.0] * 5 + [70.0] * 5)
    faces = set_of(np.stack([np.cos(radians), np.sin(radians)], axis=1).tolist())
    cosine = float(np.cos(np.deg2rad(70)))
    percent = SETTINGS.curve.percent(cosine)
    assert cluster(faces, settings=replace(SETTINGS, cluster_epsilon=percent - 1)).max() == 0
    assert cluster(faces, settings=replace(SETTINGS, cluster_epsilon=percent + 1)).max() == 1


def test_a_person_wins_over_what_faces_look_like() -> None:
    faces = set_of([[1, 0, 0]] * 6 + [[0, 1, 0], [0, 0, 1]])
    decided = Constraints(together=np.array([[6, 7]]), apart=np.array([[0, 1]]), people=np.array([2], np.int64))
    labels = cluster(faces, decided)
    assert labels[6] == labels[7] >= 0
    assert labels[0] != labels[1]
    assert labels[2] >= 0


def test_together_wins_even_in_one_photo() -> None:
    faces = set_of([[1, 0, 0]] * 4, photos=[0, 0, 1, 1])
    labels = cluster(faces, Constraints(together=np.array([[0, 1]])))
    assert labels[0] == labels[1] >= 0
    assert (labels[2:] == labels[0]).sum() == 1


def test_a_confirmed_face_alone_is_a_cluster() -> None:
    faces = set_of([[1, 0, 0], [0, 1, 0]])
    assert cluster(faces, Constraints(people=np.array([1]))).tolist() == [-1, 0]
