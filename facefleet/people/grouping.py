"""One run over an album: faces out of ledger and gallery, people back into the ledger."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any
from uuid import UUID

import numpy as np
import structlog

from facefleet.errors import FacefleetError, RequestError, TransientError
from facefleet.gallery.protocol import Gallery
from facefleet.ledger.clusterings import ClusteringLease
from facefleet.ledger.engine import Ledger
from facefleet.ledger.groupings import Grouped, Unseen
from facefleet.people.clustering import ClusterSettings, cluster_faces
from facefleet.people.constraints import Constraints
from facefleet.people.decisions import read_decisions
from facefleet.people.face_set import NOISE, FaceSet, IntArray
from facefleet.people.joining import KnownFaces, join_faces
from facefleet.people.matching import KnownPeople
from facefleet.people.neighbours import find_nearest, find_neighbours

#: So many new faces are looked up in the gallery one by one; for more the whole album is read.
_MOST_LOOKED_UP = 300
_FIRST_BACKOFF_S = 2.0
_LONGEST_BACKOFF_S = 300.0
_LOOK_AGAIN_S = 0.05

log = structlog.stdlib.get_logger(__name__)

#: A row of `Groupings.faces`.
Row = Any


@dataclass(frozen=True)
class AlbumGrouper:
    """Groups the faces of albums that are due. Holds no state of its own; two at once do no harm."""

    ledger: Ledger
    gallery: Gallery
    #: How alike one person's faces look, by model version.
    settings_of: Callable[[str], ClusterSettings]
    lease_s: float

    def group(self, album_id: UUID) -> bool:
        """Group an album, or let new faces join, unless there is nothing to do or somebody else is at it.

        Never raises: what fails here is tried again later, as the ledger remembers that it is due.

        Returns:
            Whether a run ended well.
        """
        try:
            lease = self.ledger.clusterings.claim(album_id, self.lease_s)
        except FacefleetError as error:
            log.warning("album not claimed", error=str(error), reason=error.reason)
            return False
        return lease is not None and self._run(lease)

    def _run(self, lease: ClusteringLease) -> bool:
        try:
            with self._renewing(lease):
                return self._group_and_settle(lease)
        except RequestError as error:  # the album is gone
            log.info("album not grouped", error=str(error))
        except TransientError as error:
            log.warning("album not grouped yet", error=str(error), reason=error.reason)
            self._release(lease, str(error), burn_attempt=False)
        except Exception as error:
            log.exception("album not grouped")
            self._release(lease, f"grouping failed with {type(error).__name__}: {error}", burn_attempt=True)
        return False

    def _release(self, lease: ClusteringLease, detail: str, *, burn_attempt: bool) -> None:
        delay_s = min(_FIRST_BACKOFF_S * 2 ** min(lease.attempt - 1, 20), _LONGEST_BACKOFF_S)
        try:
            self.ledger.clusterings.release(lease, delay_s, detail, burn_attempt=burn_attempt)
        except FacefleetError as error:
            log.warning("album not given back; its lease will run out", error=str(error))

    def _group_and_settle(self, lease: ClusteringLease) -> bool:
        began = time.monotonic()
        groupings = self.ledger.groupings
        unseen = groupings.unseen(lease.album_id)
        version = groupings.model_version(lease.album_id)
        if version is None:
            return groupings.settle(lease, Grouped("", {}, None, unseen, 0.0))
        groupings.find_again(lease, version, unseen.stamps)
        grouped = self._join(lease, version, unseen) if lease.wanted_at is None and not lease.is_first else None
        if grouped is None:
            grouped = self._group_anew(lease, version, unseen)
        seconds = time.monotonic() - began
        settled = groupings.settle(lease, Grouped(version, grouped[0], grouped[1], unseen, seconds))
        log.info(
            "album grouped", anew=grouped[1] is None, faces=len(grouped[0]), seconds=round(seconds, 3), kept=settled
        )
        return settled

    def _group_anew(
        self, lease: ClusteringLease, version: str, unseen: Unseen
    ) -> tuple[dict[UUID, int], Mapping[int, UUID] | None]:
        """Group all faces of the album."""
        del unseen
        people = self.ledger.groupings.known_people(lease.tenant, lease.album_id)
        templates = {point.face_id: point.template for point in self.gallery.points(version, lease.album_id)}
        rows = [row for row in self.ledger.groupings.faces(lease.album_id, version) if row.id in templates]
        if not rows:
            return {}, None
        settings = self.settings_of(version)
        faces = _face_set(rows, templates)
        del templates
        neighbours = find_neighbours(faces.templates, settings.neighbour_count, settings.near_limit(len(faces)))
        labels = cluster_faces(faces, neighbours, read_decisions(rows, people), settings)
        return {row.id: int(label) for row, label in zip(rows, labels, strict=True)}, None

    def _join(
        self, lease: ClusteringLease, version: str, unseen: Unseen
    ) -> tuple[dict[UUID, int], Mapping[int, UUID] | None] | None:
        """Let the faces of new photos join; None when so many are new that grouping all anew is no more work."""
        groupings = self.ledger.groupings
        in_photos = groupings.faces(lease.album_id, version, unseen.stamps)
        new = [row for row in in_photos if row.person_id is None]
        if 2 * len(new) > self.ledger.faces.count(lease.album_id):
            return None
        templates = self.gallery.templates(version, lease.album_id, [row.id for row in new])
        new = [row for row in new if row.id in templates]
        if not new:
            return {}, {}
        near = self._find_near(lease, version, [templates[row.id] for row in new])
        near |= {row.id for row in in_photos}
        near -= {row.id for row in new}
        templates |= self.gallery.templates(version, lease.album_id, sorted(near))
        known = [row for row in groupings.faces_named(lease.album_id, near) if row.id in templates]
        people = groupings.known_people(lease.tenant, lease.album_id)
        return _join_rows(new, known, templates, people, self.settings_of(version))

    def _find_near(self, lease: ClusteringLease, version: str, asked: Sequence[Any]) -> set[UUID]:
        """Name the faces of the album near new ones. New faces crowd each other out: that many more are asked for."""
        settings = self.settings_of(version)
        if len(asked) <= _MOST_LOOKED_UP:
            limit = settings.neighbour_count + len(asked)
            found = (
                self.gallery.search(version, lease.album_id, each, limit=limit, min_similarity=settings.min_link)
                for each in asked
            )
            return {match.face_id for matches in found for match in matches}
        points = list(self.gallery.points(version, lease.album_id))
        known = np.array([point.template for point in points], np.float32)
        near = find_nearest(np.array(asked, np.float32), known, 2 * settings.neighbour_count, settings.min_link)
        return {points[place].face_id for place in np.unique(near.others)}

    @contextmanager
    def _renewing(self, lease: ClusteringLease) -> Iterator[None]:
        """Renew the lease three times before it ends, for as long as the block lasts."""
        ended = Event()

        def beat() -> None:
            while not ended.wait(self.lease_s / 3):
                try:
                    self.ledger.clusterings.renew(lease, self.lease_s)
                except FacefleetError as error:
                    log.warning("lease of an album not renewed", error=str(error))

        thread = Thread(target=beat, name="grouping-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


@contextmanager
def grouper_in_thread(grouper: AlbumGrouper, max_attempts: int) -> Iterator[None]:
    """Group every album that is stale, one after the other, beside the caller; on leaving, the current one is ended.

    Args:
        grouper: does the work.
        max_attempts: an album that failed this often is left alone.
    """
    stopping = Event()

    def work() -> None:
        while not stopping.wait(_LOOK_AGAIN_S):
            try:
                due = grouper.ledger.clusterings.due(1, 0.0, 0.0, max_attempts)
            except TransientError as error:
                log.warning("waiting for the ledger", error=str(error))
                continue
            for album_id in due:
                grouper.group(album_id)

    thread = Thread(target=work, name="grouper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _join_rows(
    new: Sequence[Row],
    known: Sequence[Row],
    templates: Mapping[UUID, Any],
    people: KnownPeople,
    settings: ClusterSettings,
) -> tuple[dict[UUID, int], Mapping[int, UUID]]:
    number_of: dict[UUID, int] = {}
    labels = np.array(
        [NOISE if row.person_id is None else number_of.setdefault(row.person_id, len(number_of)) for row in known],
        np.int64,
    )
    rows = [*new, *known]
    faces = _face_set(rows, templates)
    split = np.arange(len(rows))
    first, second = faces.take(split[: len(new)]), faces.take(split[len(new) :])
    constraints = Constraints(apart=read_decisions(rows, people).apart)
    joined = join_faces(first, KnownFaces(second, labels), constraints, settings)
    found = dict(zip((row.id for row in new), joined.new_labels.tolist(), strict=True))
    changed = np.flatnonzero(joined.known_labels != labels).tolist()
    found.update({known[place].id: int(joined.known_labels[place]) for place in changed})
    return found, {number: person_id for person_id, number in number_of.items()}


def _face_set(rows: Sequence[Row], templates: Mapping[UUID, Any]) -> FaceSet:
    return FaceSet(
        np.stack([templates[row.id] for row in rows]).astype(np.float32, copy=False),
        _number_photos(rows),
        np.array([row.overall for row in rows], np.float32),
    )


def _number_photos(rows: Sequence[Row]) -> IntArray:
    numbers: dict[UUID, int] = {}
    return np.array([numbers.setdefault(row.photo_id, len(numbers)) for row in rows], np.int64)
