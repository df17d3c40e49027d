"""Statements that end a lease: compare-and-swap on its token, then write what the worker found."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.ledger.clock import utc_now
from facefleet.ledger.listing import supersede_older
from facefleet.ledger.schema import face, photo, state_is
from facefleet.records import FailedPhoto, FinishedPhoto, LeasedPhoto, PhotoState, RecognizedFace, face_id_of

#: Longest sentence that is kept about a dead photo.
_DETAIL_MAX_CHARS = 2000
#: Longest machine word that the column takes.
_REASON_MAX_CHARS = 64


def held(leased: Sequence[LeasedPhoto]) -> sa.ColumnElement[bool]:
    """Compare with the tokens: drawn for every photo and claim anew, they name photo, claim and owner at once."""
    ids, tokens = [each.id for each in leased], [each.lease_token for each in leased]
    return sa.and_(photo.c.id.in_(ids), photo.c.lease_token.in_(tokens), state_is(photo.c.state, PhotoState.LEASED))


def finish_photos(connection: sa.Connection, results: Sequence[FinishedPhoto]) -> set[UUID]:
    """Record found faces; returns the accepted ids."""
    found = {each.leased.id: each.recognized for each in results}
    accepted = _settle(
        connection,
        [each.leased for each in results],
        state=PhotoState.INDEXED.value,
        reason=None,
        detail=None,
        face_count=_by_id({photo_id: len(each.faces) for photo_id, each in found.items()}),
        width_px=_by_id({photo_id: each.width_px for photo_id, each in found.items()}),
        height_px=_by_id({photo_id: each.height_px for photo_id, each in found.items()}),
    )
    rows = [
        _face_row(each.leased, number, recognized)
        for each in results
        if each.leased.id in accepted
        for number, recognized in enumerate(each.recognized.faces)
    ]
    if rows:
        connection.execute(face.insert(), rows)
    return accepted


def bury_photos(connection: sa.Connection, failures: Sequence[FailedPhoto]) -> set[UUID]:
    """Record why photos are dead; returns the accepted ids."""
    return _settle(
        connection,
        [each.leased for each in failures],
        state=PhotoState.DEAD.value,
        reason=_by_id({each.leased.id: each.reason[:_REASON_MAX_CHARS] for each in failures}),
        detail=_by_id({each.leased.id: _storable(each.detail) for each in failures}),
        face_count=None,
    )


def _settle(connection: sa.Connection, leased: Sequence[LeasedPhoto], **values: Any) -> set[UUID]:  # noqa: ANN401 - SQL or value
    if not leased:
        return set()
    swap = (
        photo.update().where(held(leased)).values(lease_token=None, lease_until=None, finished_at=utc_now(), **values)
    )
    accepted = set(connection.execute(swap.returning(photo.c.id)).scalars())
    if accepted:
        connection.execute(face.delete().where(face.c.photo_id.in_(accepted)))
        supersede_older(connection, accepted)
    return accepted


def _by_id(values: dict[UUID, Any]) -> Any:  # noqa: ANN401 - a CASE of any type
    """Give every photo of one UPDATE its own value."""
    return sa.case(values, value=photo.c.id) if values else None


def _storable(detail: str) -> str:
    """Keep what both databases take: no NUL, no half surrogate pair (as in names of files that are not UTF-8)."""
    return detail.replace("\0", "").encode(errors="replace").decode()[:_DETAIL_MAX_CHARS]


def _face_row(leased: LeasedPhoto, number: int, recognized: RecognizedFace) -> dict[str, Any]:
    detection, box, quality = recognized.detection, recognized.detection.box, recognized.quality
    measured = {field: float(getattr(quality, field)) for field in quality.__dataclass_fields__}
    return {
        "id": face_id_of(leased.id, number),
        "album_id": leased.album_id,
        "photo_id": leased.id,
        "number": number,
        "x": float(box.x),
        "y": float(box.y),
        "w": float(box.w),
        "h": float(box.h),
        "landmarks": [float(coordinate) for coordinate in detection.landmarks.reshape(-1)],
        "detection_score": float(detection.detection_score),
        **measured,
    }
