"""Statements that end a lease: compare-and-swap on its token, then write what the worker found."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.face_records import RecognizedFace
from facefleet.ledger.bulk import RowUpdate, is_in
from facefleet.ledger.findings import SETTLED, write, write_unless_dropped
from facefleet.ledger.listing import DELETE_FACES, is_present, supersede_older
from facefleet.ledger.prediction_outbox import enter_unpredicted
from facefleet.ledger.schema import face, photo, row_state_is
from facefleet.ledger.unkept import DoomedPoint, doom_faces, drop_unkept
from facefleet.records import FailedPhoto, FinishedPhoto, LeasedPhoto, PhotoState, face_id_of

#: Longest sentence that is kept about a dead photo.
_DETAIL_MAX_CHARS = 2000
#: Longest machine word that the column takes.
_REASON_MAX_CHARS = 64


#: Tokens are drawn anew for every photo and claim: they name photo, claim and owner at once.
IS_HELD = sa.and_(
    is_in(photo.c.id, "photo_ids"),
    is_in(photo.c.lease_token, "tokens"),
    row_state_is(photo.c.state, PhotoState.LEASED),
)
_other = photo.alias("other")
_HAS_OTHERS = sa.select(_other.c.id).where(
    _other.c.source_id == photo.c.source_id, _other.c.id != photo.c.id, is_present(_other)
)
#: Earlier faces and other versions are rare: asked for here, the statements that deal with them are mostly left out.
_LOCK_HELD = (
    sa.select(
        photo.c.id,
        photo.c.source_id,
        photo.c.lease_token,
        sa.select(face.c.id).where(face.c.photo_id == photo.c.id).exists().label("has_faces"),
        _HAS_OTHERS.exists().label("has_others"),
    )
    .where(IS_HELD)
    .order_by(photo.c.id)
    .with_for_update()
)
_BURY = RowUpdate(photo, state=PhotoState.DEAD.value, face_count=None, **SETTLED)


def tokens_of(leased: Sequence[LeasedPhoto]) -> dict[str, list[UUID]]:
    """Name the values that `IS_HELD` compares with."""
    return {"photo_ids": [each.id for each in leased], "tokens": [each.lease_token for each in leased]}


def finish_photos(connection: sa.Connection, results: Sequence[FinishedPhoto]) -> set[UUID]:
    """Record found faces; returns the tokens of the leases that were still held."""
    held = lock_held(connection, [each.leased for each in results])
    mine = [each for each in results if each.leased.lease_token in held]
    if not mine:
        return set()
    _delete_earlier_faces(connection, held.values())
    asked = {
        "photo_ids": [each.leased.id for each in mine],
        "source_ids": [row.source_id for row in held.values()],
        "album_ids": list({each.leased.album_id for each in mine}),
    }
    faces = [row for each in mine for row in _face_rows(each)]
    rare = write_unless_dropped(connection, _photo_rows(mine, faces), faces, asked)
    if rare["dropped"]:
        faces = [row for row in faces if row["id"] not in rare["dropped"]]
        write(connection, _photo_rows(mine, faces), faces)
        _doom_dropped(connection, mine, rare["dropped"])
    _supersede_others(connection, held.values())
    with_faces = {row["photo_id"] for row in faces}
    if with_faces and rare["named"]:
        enter_unpredicted(connection, with_faces)
    if rare["unkept"]:
        drop_unkept(connection, with_faces)
    return set(held)


def _photo_rows(mine: Sequence[FinishedPhoto], faces: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    counts = Counter(row["photo_id"] for row in faces)
    return [
        {
            "id_": each.leased.id,
            "face_count": counts[each.leased.id],
            "width_px": each.recognized.width_px,
            "height_px": each.recognized.height_px,
            "taken_at": each.recognized.taken_at,
        }
        for each in mine
    ]


def _doom_dropped(connection: sa.Connection, mine: Sequence[FinishedPhoto], dropped: Collection[UUID]) -> None:
    """Have the points removed of faces that were dropped while they were recognized."""
    faces = (
        DoomedPoint(face_id_of(each.leased.id, number), each.leased.id, each.leased.album_id)
        for each in mine
        for number in range(len(each.recognized.faces))
    )
    doom_faces(connection, [each for each in faces if each.id in dropped])


def bury_photos(connection: sa.Connection, failures: Sequence[FailedPhoto]) -> set[UUID]:
    """Record why photos are dead; returns the accepted ids."""
    held = lock_held(connection, [each.leased for each in failures])
    failed = [
        {"id_": each.leased.id, "reason": each.reason[:_REASON_MAX_CHARS], "detail": _storable(each.detail)}
        for each in failures
        if each.leased.lease_token in held
    ]
    _delete_earlier_faces(connection, held.values())
    _BURY.run(connection, failed)
    _supersede_others(connection, held.values())
    return {row.id for row in held.values()}


def lock_held(connection: sa.Connection, leased: Sequence[LeasedPhoto]) -> dict[UUID, sa.Row[Any]]:
    """Choose the photos that are still the caller's, and let nobody touch them until the transaction ends.

    Returns:
        By lease token: the row's `id`, `source_id`, `has_faces` and `has_others`.
    """
    return {row.lease_token: row for row in connection.execute(_LOCK_HELD, tokens_of(leased))}


def _delete_earlier_faces(connection: sa.Connection, held: Collection[sa.Row[Any]]) -> None:
    if again := [row.id for row in held if row.has_faces]:
        connection.execute(DELETE_FACES, {"photo_ids": again})


def _supersede_others(connection: sa.Connection, held: Collection[sa.Row[Any]]) -> None:
    if several := [row for row in held if row.has_others]:
        supersede_older(connection, [row.id for row in several], [row.source_id for row in several])


def _storable(detail: str) -> str:
    """Keep what both databases take: no NUL, no half surrogate pair (as in names of files that are not UTF-8)."""
    return detail.replace("\0", "").encode(errors="replace").decode()[:_DETAIL_MAX_CHARS]


def _face_rows(finished: FinishedPhoto) -> list[dict[str, Any]]:
    leased, faces = finished.leased, finished.recognized.faces
    return [face_row(leased.album_id, leased.id, number, each) for number, each in enumerate(faces)]


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
        "landmarks": detection.landmarks.reshape(-1).tolist(),
        "detection_score": float(detection.detection_score),
        **measured,
    }
