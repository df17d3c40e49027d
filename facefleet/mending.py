"""The gallery against the ledger: what is missing is indexed again, what belongs to nothing is deleted."""

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from facefleet.errors import GalleryNotPrepared
from facefleet.gallery.protocol import Gallery
from facefleet.ledger.engine import Ledger
from facefleet.records import PhotoState

_ENDED = frozenset({PhotoState.DELETED, PhotoState.DEAD})


@dataclass(frozen=True, slots=True)
class Mended:
    """What a comparison led to."""

    #: Photos that are pending again because their points were not those of the ledger.
    indexed_again: int
    #: Photos whose points were deleted because the ledger has none of them.
    photos_deleted: int


def mend_gallery(ledger: Ledger, gallery: Gallery, model_version: str, album_id: UUID) -> Mended:
    """Compare one album, and mend it; twice, or beside another one, is the same as once.

    The ledger is read first: a photo that is indexed there has had its points in the gallery ever since.
    """
    repairs = ledger.repairs
    if repairs.count_faces(album_id, model_version) == _count_points(gallery, model_version, album_id):
        return Mended(0, 0)
    expected = repairs.face_ids(album_id, model_version)
    found = _find_points(gallery, model_version, album_id)
    wrong = [each for each, faces in expected.items() if found[each] != faces]
    gone = _choose_gone(ledger, {each for each in found if each not in expected})
    # Points first: the other way round, those of a photo that is indexed at once again would be deleted.
    gallery.delete_photos(album_id, [*wrong, *gone])
    return Mended(repairs.reindex(wrong), len(gone))


def _count_points(gallery: Gallery, model_version: str, album_id: UUID) -> int:
    try:
        return gallery.count(model_version, album_id)
    except GalleryNotPrepared:  # wiped
        return 0


def _find_points(gallery: Gallery, model_version: str, album_id: UUID) -> defaultdict[UUID, set[UUID]]:
    found: defaultdict[UUID, set[UUID]] = defaultdict(set)
    try:
        for point in gallery.points(model_version, album_id):
            found[point.photo_id].add(point.face_id)
    except GalleryNotPrepared:  # wiped, perhaps just now
        found.clear()
    return found


def _choose_gone(ledger: Ledger, strangers: set[UUID]) -> list[UUID]:
    """Choose photos that ended without faces; those in work may have written theirs already."""
    known = ledger.photos.get_many(strangers)
    return [each for each in strangers if each not in known or known[each].state in _ENDED]
