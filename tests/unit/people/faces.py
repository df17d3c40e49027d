"""Small albums out of a seed: people as directions, faces scattered around them."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from facefleet.people.clustering import ClusterSettings, cluster_faces
from facefleet.people.constraints import Constraints
from facefleet.people.face_set import FaceSet, IntArray
from facefleet.people.neighbours import find_neighbours
from facefleet.recognition.similarity import usual_curve

SETTINGS = ClusterSettings(usual_curve(0.3))


@dataclass(frozen=True)
class SmallAlbum:
    faces: FaceSet
    people: IntArray


def draw_album(seed: int, count: int, people: int = 4, scatter: float = 0.7, photos: int = 0) -> SmallAlbum:
    """`photos` 0: each face has a photo of its own."""
    rng = np.random.default_rng(seed)
    person = rng.integers(0, people, count)
    templates = rng.normal(size=(people, 32))[person] + scatter * rng.normal(size=(count, 32))
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    photo = rng.integers(0, photos, count) if photos else np.arange(count)
    return SmallAlbum(FaceSet(templates.astype(np.float32), photo, rng.random(count).astype(np.float32)), person)


def albums(least_scatter: float = 0.0) -> st.SearchStrategy[SmallAlbum]:
    """Without scatter, a person's templates are all the same."""
    return st.builds(
        draw_album,
        seed=st.integers(0, 10_000),
        count=st.integers(0, 60),
        people=st.integers(1, 8),
        scatter=st.floats(least_scatter, 2.0),
        photos=st.integers(0, 30),
    )


def draw_constraints(seed: int, count: int, pairs: int) -> Constraints:
    rng = np.random.default_rng(seed)
    if not count:
        return Constraints()
    drawn = [rng.integers(0, count, (pairs, 2)) for _ in range(2)]
    return Constraints(*(each[each[:, 0] != each[:, 1]] for each in drawn), people=rng.integers(0, count, pairs))


def cluster(faces: FaceSet, constraints: Constraints | None = None, settings: ClusterSettings = SETTINGS) -> IntArray:
    near = find_neighbours(faces.templates, settings.neighbour_count, settings.near_limit(len(faces)))
    return cluster_faces(faces, near, constraints or Constraints(), settings)


def same_cluster(labels: IntArray) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """(N, N): who is in one cluster; noise is alone."""
    alone = np.where(labels < 0, -1 - np.arange(len(labels)), labels)
    return np.asarray(alone[:, None] == alone[None])
