"""How the owner of an embedded gallery and its clients talk: HTTP on a Unix socket, one POST per gallery method.

A body is one line of JSON and, after the line break, raw little-endian float32 templates row by row. An error comes
back as its `reason` and its sentence. Nothing that is sent can name code or a file.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import numpy as np

from facefleet.errors import ConfigurationError, FacefleetError, GalleryNotPrepared, GalleryUnavailable
from facefleet.face_records import Template
from facefleet.gallery.points import Page
from facefleet.records import GalleryMatch, GalleryPoint, Json

#: What a gallery may raise, by the word that travels.
ERRORS: Final[dict[str, type[FacefleetError]]] = {
    error.reason: error for error in (ConfigurationError, GalleryUnavailable, GalleryNotPrepared)
}


def encode(header: Json, templates: Sequence[Template] = ()) -> bytes:
    """Write a body.

    Args:
        header: anything JSON can say.
        templates: (D,) float32 each, all of one length.
    """
    rows = np.asarray(templates, "<f4")
    shape = list(rows.shape) if len(rows) else [0, 0]
    return json.dumps({**header, "shape": shape}).encode() + b"\n" + rows.tobytes()


def decode(body: bytes) -> tuple[Json, list[Template]]:
    """Read a body back.

    Raises:
        ValueError: it is none.
    """
    line, _, raw = body.partition(b"\n")
    header = json.loads(line)
    rows = np.frombuffer(raw, "<f4").reshape(header.pop("shape"))
    return header, list(rows.astype(np.float32))


def encode_points(header: Json, points: Sequence[GalleryPoint]) -> bytes:
    """Write points with their templates."""
    ids = [[str(point.face_id), str(point.album_id), str(point.photo_id)] for point in points]
    return encode({**header, "points": ids}, [point.template for point in points])


def decode_points(header: Json, templates: Sequence[Template]) -> list[GalleryPoint]:
    """Read points back."""
    pairs = zip(header["points"], templates, strict=True)
    return [
        GalleryPoint(UUID(face_id), UUID(album_id), UUID(photo_id), template)
        for (face_id, album_id, photo_id), template in pairs
    ]


def encode_page(page: Page) -> bytes:
    """Write one page of a walk."""
    points, following = page
    return encode_points({"next": None if following is None else str(following)}, points)


def decode_page(body: bytes) -> Page:
    """Read one page of a walk back."""
    header, templates = decode(body)
    return decode_points(header, templates), None if header["next"] is None else UUID(header["next"])


def encode_matches(matches: Sequence[GalleryMatch]) -> bytes:
    """Write what a search found."""
    return encode({"matches": [[str(match.face_id), str(match.photo_id), match.similarity] for match in matches]})


def decode_matches(body: bytes) -> list[GalleryMatch]:
    """Read what a search found back."""
    header, _ = decode(body)
    return [GalleryMatch(UUID(face), UUID(photo), similarity) for face, photo, similarity in header["matches"]]


def encode_templates(templates: Mapping[UUID, Template]) -> bytes:
    """Write templates by face."""
    return encode({"face_ids": [str(face_id) for face_id in templates]}, list(templates.values()))


def decode_templates(body: bytes) -> dict[UUID, Template]:
    """Read templates by face back."""
    header, templates = decode(body)
    return dict(zip(map(UUID, header["face_ids"]), templates, strict=True))


def encode_error(error: FacefleetError) -> bytes:
    """Write an error; what clients do not know travels as GalleryUnavailable."""
    reason = error.reason if error.reason in ERRORS else GalleryUnavailable.reason
    return encode({"reason": reason, "detail": str(error)})


def decode_error(body: bytes) -> FacefleetError:
    """Read an error back."""
    header, _ = decode(body)
    return ERRORS[header["reason"]](header["detail"])
