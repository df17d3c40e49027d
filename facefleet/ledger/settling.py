"""Statements that end a lease: compare-and-swap on its token, then write what the worker found."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.ledger.clock import utc_now
from facefleet.ledger.clusterings import mark_unseen
from facefleet.ledger.collection_schema import dropped_face
from facefleet.ledger.listing import DELETE_FACES, PHOTO_IDS, source_id_of, supersede_older
from facefleet.ledger.prediction_outbox import mark_unpredicted
from facefleet.ledger.schema import face, photo, row_state_is
from facefleet.ledger.unkept import drop_unkept
from facefleet.records import FailedPhoto, FinishedPhoto, LeasedPhoto, PhotoState, RecognizedFace, face_id_of

#: Longest sentence that is kept about a dead photo.
_DETAIL_MAX_CHARS = 2000
#: Longest machine word that the column takes.
_REASON_MAX_CHARS = 64


#: Tokens are drawn anew for every photo and claim: they name photo, claim and owner at once.
IS_HELD = sa.and_(
    photo.c.id.in_(PHOTO_IDS),
    photo.c.lease_token.in_(sa.bindparam("tokens", expanding=True)),
    row_state_is(photo.c.state, PhotoState.LEASED),
)
_LOCK_HELD = sa.select(photo.c.id).where(IS_HELD).order_by(photo.c.id).with_for_update()
_SETTLE = photo.update().where(photo.c.id == sa.bindparam("id_"))
_SETTLED: dict[str, Any] = {"lease_token": None, "lease_until": None, "finished_at": utc_now()}
_INDEX = _SETTLE.values(state=PhotoState.INDEXED.value, reason=None, detail=None, **_SETTLED)
_BURY = _SETTLE.values(state=PhotoState.DEAD.value, face_count=None, **_SETTLED)


def tokens_of(leased: Sequence[LeasedPhoto]) -> dict[str, list[UUID]]:
    """Name the values that `IS_HELD` compares with."""
    return {"photo_ids": [each.id for each in leased], "tokens": [each.lease_token for each in leased]}


def finish_photos(connection: sa.Connection, results: Sequence[FinishedPhoto]) -> set[UUID]:
    """Record found faces; returns the accepted ids."""
    accepted = lock_held(connection, [each.leased for each in results])
    mine = [each for each in results if each.leased.id in accepted]
    dropped = dropped_of(connection, accepted)
    numbers = {
        each.leased.id: [
            number for number in range(len(each.recognized.faces)) if face_id_of(each.leased.id, number) not in dropped
        ]
        for each in mine
    }
    found = [
        {
            "id_": each.leased.id,
            "face_count": len(numbers[each.leased.id]),
            "width_px": each.recognized.width_px,
            "height_px": each.recognized.height_px,
            "taken_at": each.recognized.taken_at,
        }
        for each in mine
    ]
    _settle(connection, _INDEX, found, [each.leased for each in mine])
    faces = [
        face_row(each.leased.album_id, each.leased.id, number, each.recognized.faces[number])
        for each in mine
        for number in numbers[each.leased.id]
    ]
    if faces:
        connection.execute(face.insert(), faces)
        drop_unkept(connection, accepted)
        mark_unseen(connection, {row["photo_id"]: row["album_id"] for row in faces})
        mark_unpredicted(connection, {row["photo_id"] for row in faces})
    return accepted


def bury_photos(connection: sa.Connection, failures: Sequence[FailedPhoto]) -> set[UUID]:
    """Record why photos are dead; returns the accepted ids."""
    accepted = lock_held(connection, [each.leased for each in failures])
    failed = [
        {"id_": each.leased.id, "reason": each.reason[:_REASON_MAX_CHARS], "detail": _storable(each.detail)}
        for each in failures
        if each.leased.id in accepted
    ]
    _settle(connection, _BURY, failed, [each.leased for each in failures])
    return accepted


def lock_held(connection: sa.Connection, leased: Sequence[LeasedPhoto]) -> set[UUID]:
    """Choose the photos that are still the caller's, and let nobody touch them until the transaction ends."""
    return set(connection.execute(_LOCK_HELD, tokens_of(leased)).scalars())


def _settle(
    connection: sa.Connection, statement: sa.Update, rows: Sequence[dict[str, Any]], leased: Sequence[LeasedPhoto]
) -> None:
    if rows:
        photo_ids = [row["id_"] for row in rows]
        connection.execute(statement, rows)
        connection.execute(DELETE_FACES, {"photo_ids": photo_ids})
        supersede_older(connection, photo_ids, [source_id_of(each.album_id, each.store_uri) for each in leased])


def _storable(detail: str) -> str:
    """Keep what both databases take: no NUL, no half surrogate pair (as in names of files that are not UTF-8)."""
    return detail.replace("\0", "").encode(errors="replace").decode()[:_DETAIL_MAX_CHARS]


def dropped_of(connection: sa.Connection, photo_ids: Collection[UUID]) -> set[UUID]:
    """Name the faces of photos that are not to be kept."""
    dropped = sa.select(dropped_face.c.face_id).where(dropped_face.c.photo_id.in_(photo_ids))
    return set(connection.execute(dropped).scalars())


def face_row(album_id: UUID, photo_id: UUID, number: int, recognized: RecognizedFace) -> dict[str, Any]:
    """Name the columns of a face."""
    detection, box, quality = recognized.detection, recognized.detection.box, recognized.quality
    measured = {field: float(getattr(quality, field)) for field in quality.__dataclass_fields__}
    return {
        "id": face_id_of(photo_id, number),
        "album_id": album_id,
        "photo_id": photo_id,
        "number": number,
        "x": float(box.x),
        "y": float(box.y),
        "w": float(box.w),
        "h": float(box.h),
        "landmarks": [float(coordinate) for coordinate in detection.landmarks.reshape(-1)],
        "detection_score": float(detection.detection_score),
        **measured,
    }
