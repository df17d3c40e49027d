"""Sees every indexed photo with another model, beside whoever works with the one that is current."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from facefleet.errors import GalleryNotPrepared, InvalidRequest, PermanentError, PhotoChanged
from facefleet.face_records import RecognizedPhoto
from facefleet.gallery.points import batches
from facefleet.gallery.protocol import Gallery
from facefleet.ledger.engine import Ledger
from facefleet.ledger.shelf import ShelfLease
from facefleet.photo_store import PhotoStores
from facefleet.records import GalleryPoint, face_id_of
from facefleet.settings import Settings

if TYPE_CHECKING:  # the dispatcher, which sweeps shelves, loads nothing that looks at images
    from facefleet.recognition.recognizer import Recognizer

#: Photos that are claimed at once, for each thread: few enough that a process that dies leaves little behind.
_PHOTOS_PER_THREAD = 4
_PAGE = 500


@dataclass(frozen=True)
class Migrator:
    """Works like a worker, but writes to the shelf. Any number of them share the work; a killed one costs a lease."""

    settings: Settings
    ledger: Ledger
    gallery: Gallery
    stores: PhotoStores
    #: Has the pack that is migrated to.
    recognizer: "Recognizer"

    @property
    def model_version(self) -> str:
        """The version that is migrated to."""
        return self.recognizer.model_version

    def work(self) -> Iterator[int]:
        """See photos until none is left but what other processes hold; what was seen stays so if the caller stops.

        Yields:
            How many photos a round saw.

        Raises:
            TransientError: a store is down; the same goes on later where it ended.
        """
        self.gallery.prepare(self.model_version, self.recognizer.dimensions)
        # What two models ago was called the same stands in the way, and belongs to nothing any more.
        sweep_shelf(self.ledger, self.gallery)
        threads = self.settings.resolved_worker_threads
        with ThreadPoolExecutor(threads, "migration") as pool:
            while True:
                limit = threads * _PHOTOS_PER_THREAD
                leases = self.ledger.shelf.claim(self.model_version, limit, self.settings.longest_photo_s)
                if not leases:
                    return
                try:
                    list(pool.map(self._work_on, leases))
                except BaseException:
                    # Those that are done are not the caller's any more.
                    self.ledger.shelf.release(leases)
                    raise
                yield len(leases)

    def _work_on(self, lease: ShelfLease) -> None:
        try:
            data = self.stores.read(lease.store_uri, lease.version, self.settings.max_photo_bytes)
            recognized = self.recognizer.recognize(data)
        except (PermanentError, PhotoChanged, InvalidRequest) as error:
            self.ledger.shelf.fail(lease, str(error))
            return
        # Points first: what is on the shelf has its points.
        self.gallery.upsert(self.model_version, points_of(lease, recognized))
        if not self.ledger.shelf.finish(lease, recognized) and not self.ledger.photos.existing([lease.counterpart_id]):
            # It was deleted meanwhile, perhaps with its album; one that another process owns now has the same points.
            self.gallery.delete_photos(lease.album_id, [lease.id])

    def mend(self) -> int:
        """Compare the shelf with the gallery, album by album; what lacks points is to be seen again.

        Returns:
            How many photos are to be seen again.
        """
        sweep_shelf(self.ledger, self.gallery)
        again = 0
        for album_id, expected in self.ledger.shelf_leavings.of_version(self.model_version).items():
            missing = expected - self._points(album_id, expected)
            photos = [
                photo
                for some in batches(sorted(missing), _PAGE)
                for photo in self.ledger.shelf_leavings.photos_of(some)
            ]
            self.ledger.shelf.redo(photos)
            again += len(photos)
        return again

    def _points(self, album_id: UUID, expected: set[UUID]) -> set[UUID]:
        """Read which of the points an album has; those that the gallery has beside them were deleted in the ledger."""
        try:
            found = {point.face_id for point in self.gallery.points(self.model_version, album_id)}
        except GalleryNotPrepared:
            return set()
        strangers = sorted(found - expected)
        known = self.ledger.faces.get_many(strangers)
        self.gallery.delete_faces(album_id, [each for each in strangers if each not in known])
        return found


def points_of(lease: ShelfLease, recognized: RecognizedPhoto) -> Sequence[GalleryPoint]:
    """Name the points of one photo."""
    return [
        GalleryPoint(face_id_of(lease.id, number), lease.album_id, lease.id, face.template)
        for number, face in enumerate(recognized.faces)
    ]


def sweep_shelf(ledger: Ledger, gallery: Gallery) -> int:
    """Delete from shelf and gallery what was deleted among live photos and faces; returns how much that was.

    Raises:
        TransientError: ledger or gallery is down; the next sweep does it.
    """
    swept = 0
    for find, delete, remove in (
        (ledger.shelf_leavings.photos, gallery.delete_photos, ledger.shelf_leavings.remove_photos),
        (ledger.shelf_leavings.faces, gallery.delete_faces, ledger.shelf_leavings.remove_faces),
    ):
        while found := find(_PAGE):
            _delete(found, delete)
            remove([each for _, each in found])
            swept += len(found)
    return swept


def clear_shelf(ledger: Ledger, gallery: Gallery) -> int:
    """Throw away everything that is on the shelf, with its points; returns how many photos."""
    cleared = 0
    while found := ledger.shelf_leavings.all_photos(_PAGE):
        _delete(found, gallery.delete_photos)
        ledger.shelf_leavings.remove_photos([each for _, each in found])
        cleared += len(found)
    return cleared


def _delete(found: Sequence[tuple[UUID, UUID]], delete: Callable[[UUID, Sequence[UUID]], None]) -> None:
    by_album: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for album_id, each in found:
        by_album[album_id].append(each)
    for album_id, ids in by_album.items():
        delete(album_id, ids)
