"""A gallery's worth of faces with some to search for, cut into albums.

Faces are drawn as `people_synthetic` spreads them: passers-by, relatives, a few people with thousands of faces. A probe
is a face that was held back of a person who has others in the album, each person as likely as any other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid5

import numpy as np

from facefleet.people.face_set import FloatArray, IntArray
from facefleet.records import GalleryPoint
from tests.benchmarks.people_synthetic import USUAL_SPREAD, draw_faces

_BATCH = 500
FACES_PER_PHOTO = 3


@dataclass(frozen=True)
class Crowd:
    """Faces for a gallery, cut into albums of one size, and faces to search with."""

    #: (N, D) float32, each of length 1.
    templates: FloatArray
    #: (P, D) float32: other faces of the people, of the first album, the second and so on, and of the first again.
    probes: FloatArray
    #: (N,) and (P,) int64: who they are.
    people: IntArray
    probe_people: IntArray
    #: How many albums the faces are in.
    albums: int

    def album_of(self, row: int) -> UUID:
        """Whose face the row is."""
        return UUID(int=1 + row * self.albums // len(self.templates))

    def points(self) -> Iterator[list[GalleryPoint]]:
        """What is written, batch by batch."""
        for start in range(0, len(self.templates), _BATCH):
            yield [self._point(row) for row in range(start, min(start + _BATCH, len(self.templates)))]

    def _point(self, row: int) -> GalleryPoint:
        album_id = self.album_of(row)
        photo_id = uuid5(album_id, str(row // FACES_PER_PHOTO))
        return GalleryPoint(UUID(int=row), album_id, photo_id, self.templates[row])

    def is_of_probe(self, probe: int, face_id: UUID) -> bool:
        """Whether a face is of whom it was searched with."""
        return bool(self.people[face_id.int] == self.probe_people[probe])


def draw_crowd(faces: int, dimensions: int, albums: int, probes: int) -> Crowd:
    """Draw each album by itself; the same person in two of them is two people."""
    drawn = [_draw_album(faces // albums, dimensions, probes // albums, seed) for seed in range(1, albums + 1)]
    templates, people, probe_templates, probe_people = zip(*drawn, strict=True)
    return Crowd(
        np.concatenate(templates),
        np.stack(probe_templates, axis=1).reshape(-1, dimensions),
        np.concatenate(people),
        np.stack(probe_people, axis=1).reshape(-1),
        albums,
    )


def _draw_album(
    faces: int, dimensions: int, held_back: int, seed: int
) -> tuple[FloatArray, IntArray, FloatArray, IntArray]:
    """Hold back one face of some of those who have several; the rest makes the album."""
    rng = np.random.default_rng(seed)
    drawn, people = draw_faces(faces + held_back, dimensions, USUAL_SPREAD, seed)
    chosen = rng.choice(np.flatnonzero(np.bincount(people) > 1), held_back, replace=False)
    face_of = np.zeros(int(people.max()) + 1, np.int64)
    order = rng.permutation(len(people))
    face_of[people[order]] = order
    probes = face_of[chosen]
    return np.delete(drawn.templates, probes, axis=0), np.delete(people, probes), drawn.templates[probes], chosen
