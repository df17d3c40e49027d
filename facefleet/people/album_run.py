"""The faces of an album, out of ledger and gallery, into clusters: all of them, or new ones beside the others."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias
from uuid import UUID

import numpy as np

from facefleet.face_records import Template
from facefleet.gallery.protocol import Gallery
from facefleet.ledger.clusterings import ClusteringLease
from facefleet.ledger.engine import Ledger
from facefleet.people.clustering import ClusterSettings, cluster_faces
from facefleet.people.constraints import Constraints
from facefleet.people.decisions import read_decisions
from facefleet.people.face_set import NOISE, FaceSet, IntArray
from facefleet.people.joining import SAMPLE_FACES, KnownFaces, join_faces
from facefleet.people.limits import LinkLimits, learn_limits
from facefleet.people.neighbours import find_nearest, find_neighbours
from facefleet.people_records import Grouping

#: So many new faces are looked up in the gallery one by one; for more the whole album is read.
_MOST_LOOKED_UP = 300

#: A row of `Groupings.faces`.
Row: TypeAlias = Any


@dataclass(frozen=True)
class AlbumRun:
    """One run over one album; writes nothing."""

    ledger: Ledger
    gallery: Gallery
    settings: ClusterSettings
    lease: ClusteringLease
    model_version: str

    def group_anew(self) -> Grouping:
        """Group all faces of the album that the gallery has."""
        album_id, groupings = self.lease.album_id, self.ledger.groupings
        people = groupings.known_people(self.lease.tenant, album_id)
        templates = {point.face_id: point.template for point in self.gallery.points(self.model_version, album_id)}
        rows = [row for row in groupings.faces(album_id, self.model_version) if row.id in templates]
        if not rows:
            return Grouping({})
        faces = _face_set(rows, templates)
        templates.clear()
        near = self.settings.near_limit(len(rows))
        neighbours = find_neighbours(faces.templates, self.settings.neighbour_count, near)
        labels = cluster_faces(faces, neighbours, read_decisions(rows, people), self.settings)
        limits = learn_limits(faces, labels, self.settings.curve)
        found = {row.id: int(label) for row, label in zip(rows, labels, strict=True)}
        return Grouping(found, limits=asdict(limits))

    def join(self, photo_ids: Collection[UUID]) -> Grouping | None:
        """Let the faces of new photos join.

        Returns:
            None when the album was never grouped, or has grown so much that grouping all anew is due.
        """
        album_id, groupings = self.lease.album_id, self.ledger.groupings
        count = self.ledger.faces.count(album_id)
        limits = None if self.lease.limits is None else LinkLimits(**self.lease.limits)
        if limits is None or limits.are_outgrown(count):
            return None
        in_photos = groupings.faces(album_id, self.model_version, photo_ids)
        new = [row for row in in_photos if row.person_id is None]
        templates = self._read([row.id for row in new])
        new = [row for row in new if row.id in templates]
        if not new:
            return Grouping({}, owners={})
        near_ids = self._find_near([templates[row.id] for row in new], self.settings.near_limit(count))
        known = self._gather_known(near_ids | {row.id for row in in_photos}, {row.id for row in new})
        templates |= self._read([row.id for row in known])
        known = [row for row in known if row.id in templates]
        return self._join_rows(new, known, templates, replace(self.settings, limits=limits))

    def _gather_known(self, near_ids: Collection[UUID], new_ids: Collection[UUID]) -> list[Row]:
        """Read what `join_faces` has to be given: near faces, more of their people, and others of strays' photos."""
        album_id, groupings = self.lease.album_id, self.ledger.groupings
        near = groupings.faces_named(album_id, near_ids)
        strays = {row.photo_id for row in near if row.person_id is None}
        people = {row.person_id for row in near if row.person_id is not None}
        found = [
            *near,
            *groupings.faces(album_id, self.model_version, strays),
            *groupings.faces_named(album_id, groupings.sample(album_id, people, SAMPLE_FACES)),
        ]
        return list({row.id: row for row in found if row.id not in new_ids}.values())

    def _find_near(self, asked: Sequence[Template], min_cosine: float) -> set[UUID]:
        """Name the faces of the album near new ones. New faces crowd each other out: that many more are asked for."""
        count = self.settings.neighbour_count
        if len(asked) <= _MOST_LOOKED_UP:
            place = (self.model_version, self.lease.album_id)
            found = (
                self.gallery.search(*place, each, limit=count + len(asked), min_similarity=min_cosine) for each in asked
            )
            return {match.face_id for matches in found for match in matches}
        points = list(self.gallery.points(self.model_version, self.lease.album_id))
        known = np.array([point.template for point in points], np.float32)
        near = find_nearest(np.array(asked, np.float32), known, 2 * count, min_cosine)
        return {points[number].face_id for number in np.unique(near.others).tolist()}

    def _join_rows(
        self, new: Sequence[Row], known: Sequence[Row], templates: Mapping[UUID, Template], settings: ClusterSettings
    ) -> Grouping:
        people = self.ledger.groupings.known_people(self.lease.tenant, self.lease.album_id)
        number_of: dict[UUID, int] = {}
        labels = np.array(
            [NOISE if row.person_id is None else number_of.setdefault(row.person_id, len(number_of)) for row in known],
            np.int64,
        )
        rows = [*new, *known]
        faces, places = _face_set(rows, templates), np.arange(len(rows))
        first, second = faces.take(places[: len(new)]), faces.take(places[len(new) :])
        decided = Constraints(apart=read_decisions(rows, people).apart)
        joined = join_faces(first, KnownFaces(second, labels), decided, settings)
        found = dict(zip((row.id for row in new), joined.new_labels.tolist(), strict=True))
        changed = np.flatnonzero(joined.known_labels != labels).tolist()
        found.update({known[place].id: int(joined.known_labels[place]) for place in changed})
        return Grouping(found, owners={number: person_id for person_id, number in number_of.items()})

    def _read(self, face_ids: Sequence[UUID]) -> dict[UUID, Template]:
        return self.gallery.templates(self.model_version, self.lease.album_id, face_ids)


def _face_set(rows: Sequence[Row], templates: Mapping[UUID, Template]) -> FaceSet:
    return FaceSet(
        np.stack([templates[row.id] for row in rows]).astype(np.float32, copy=False),
        _number_photos(rows),
        np.array([row.overall for row in rows], np.float32),
    )


def _number_photos(rows: Sequence[Row]) -> IntArray:
    numbers: dict[UUID, int] = {}
    return np.array([numbers.setdefault(row.photo_id, len(numbers)) for row in rows], np.int64)
