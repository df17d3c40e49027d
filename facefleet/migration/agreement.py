"""Whether two models mean the same: the nearest face of a face should stay among its nearest."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from facefleet.errors import GalleryNotPrepared
from facefleet.gallery.protocol import Gallery
from facefleet.ledger.engine import Ledger
from facefleet.recognition.pack_files import USUAL_SIMILARITY_THRESHOLD

_SAMPLE_FACES: Final = 200
_AMONG: Final = 10


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of faces that have a near one in another photo."""

    faces: int
    #: Those whose nearest one is among the ten nearest of the other model.
    agreeing: int


def measure_agreement(ledger: Ledger, gallery: Gallery, from_version: str, to_version: str) -> Agreement:
    """Compare searches with both models for a sample of faces; the shelf has the second one's."""
    faces = agreeing = 0
    for album_id, live_id, shelved_id in ledger.shelf.pairs(to_version, _SAMPLE_FACES):
        nearest = next(iter(_near(gallery, from_version, album_id, live_id)), None)
        if nearest is None:
            continue
        faces += 1
        counterpart = ledger.shelf.counterpart_of(to_version, nearest)
        agreeing += counterpart in _near(gallery, to_version, album_id, shelved_id)
    return Agreement(faces, agreeing)


def _near(gallery: Gallery, version: str, album_id: UUID, face_id: UUID) -> list[UUID]:
    """Name the nearest faces of a face, the nearest first, without those of its own photo."""
    try:
        template = gallery.templates(version, album_id, [face_id]).get(face_id)
    except GalleryNotPrepared:
        return []
    if template is None:
        return []
    least = USUAL_SIMILARITY_THRESHOLD
    found = gallery.search(version, album_id, template, limit=2 * _AMONG, min_similarity=least)
    own = {match.photo_id for match in found if match.face_id == face_id}
    return [match.face_id for match in found if match.photo_id not in own][:_AMONG]
