"""Find a person in an album: probe bytes -> faces -> near templates -> the ledger's faces."""

from dataclasses import dataclass
from uuid import UUID

from facefleet.face_records import RecognizedPhoto, Template
from facefleet.gallery.protocol import Gallery
from facefleet.ledger.engine import Ledger
from facefleet.recognition.recognizer import Recognizer
from facefleet.records import Candidate, ProbeResult

#: Gallery queries for one probe face: the first, and two that make up for matches that the ledger does not know.
_MAX_QUERIES = 3


@dataclass(frozen=True, slots=True)
class AlbumSearch:
    """What a search needs. Holds no state of its own; any number of threads may search at once."""

    recognizer: Recognizer
    gallery: Gallery
    ledger: Ledger


def search_album(
    parts: AlbumSearch, album_id: UUID, probe_bytes: bytes, *, limit: int, min_similarity: float
) -> tuple[RecognizedPhoto, list[ProbeResult]]:
    """Give every face of a probe its own candidates of one album, best first.

    Args:
        parts: recognizer, gallery and ledger.
        album_id: only faces of this album are looked at.
        probe_bytes: an encoded image; it is recognized ahead of photos that are being indexed.
        limit: at most this many candidates for each face.
        min_similarity: smallest cosine similarity of a candidate, inclusive.

    Returns:
        The recognized probe, and one result for each of its faces in the same order; none when it has no face.

    Raises:
        PermanentError: the probe cannot be decoded or is too large.
        TransientError: recognizer, gallery or ledger is down or busy.
    """
    probe = parts.recognizer.recognize(probe_bytes, urgent=True, selfie=True)
    results = [
        ProbeResult(face, find_candidates(parts, album_id, face.template, limit, min_similarity))
        for face in probe.faces
    ]
    return probe, results


def find_candidates(
    parts: AlbumSearch, album_id: UUID, template: Template, limit: int, min_similarity: float
) -> tuple[Candidate, ...]:
    """Find the faces of one album that look like a template, best first.

    Matches are joined with the ledger, which has the last word: a match that it does not know is on its way out.
    Arguments and errors are those of `search_album`.
    """
    model_version = parts.recognizer.model_version
    wanted = limit
    candidates: tuple[Candidate, ...] = ()
    for _ in range(_MAX_QUERIES):
        matches = parts.gallery.search(model_version, album_id, template, limit=wanted, min_similarity=min_similarity)
        faces = parts.ledger.found_faces.get_many([match.face_id for match in matches])
        candidates = tuple(
            Candidate(faces[match.face_id], match.similarity) for match in matches if match.face_id in faces
        )
        if len(candidates) >= limit or len(matches) < wanted:
            break
        wanted += 2 * (limit - len(candidates))
    return candidates[:limit]
