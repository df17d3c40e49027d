"""Statements that enter listed photos and let newer versions take the place of older ones."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa

from facefleet.errors import ModelSwitched
from facefleet.ledger.bulk import insert_new_rows, is_in
from facefleet.ledger.clock import utc_now
from facefleet.ledger.database import insert_or_ignore
from facefleet.ledger.schema import SORT_NAME_CHARS, face, job_photo, photo, row_state_is
from facefleet.ledger.shelf_schema import model_switch
from facefleet.records import PhotoRef, PhotoState, photo_id_of

#: What a photo looks like that was never touched.
FRESH: dict[str, Any] = {
    "state": PhotoState.PENDING.value,
    "attempt": 0,
    "crash_count": 0,
    "lease_token": None,
    "lease_until": None,
    "next_attempt_at": utc_now(),
    "dispatched_at": None,
    "finished_at": None,
    "purged_at": None,
    "reason": None,
    "detail": None,
    "face_count": None,
    "width_px": None,
    "height_px": None,
    "taken_at": None,
}
_DELETED: dict[str, Any] = {
    "state": PhotoState.DELETED.value,
    "lease_token": None,
    "lease_until": None,
    "purged_at": None,
}


#: Statements of the hot path are built once: that costs more than running them.
DELETE_FACES = face.delete().where(is_in(face.c.photo_id, "photo_ids"))


def is_present(table: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether a photo found by id or source is not deleted."""
    return row_state_is(table.c.state, *(state for state in PhotoState if state != PhotoState.DELETED))


_newer = photo.alias("newer")
_SUPERSEDE_OLDER = (
    photo.update()
    .where(
        # Given, not looked up: without statistics PostgreSQL would join the whole table.
        is_in(photo.c.source_id, "source_ids"),
        is_present(photo),
        sa.select(_newer.c.id)
        .where(is_in(_newer.c.id, "photo_ids"), _newer.c.source_id == photo.c.source_id)
        .where(_newer.c.listed_at > photo.c.listed_at)
        .exists(),
    )
    .values(**_DELETED)
    .returning(photo.c.id)
)


def list_photos(
    connection: sa.Connection, job_id: UUID, album_id: UUID, model_version: str, refs: Sequence[PhotoRef]
) -> int:
    """Enter at most `CHUNK` photos as current versions that a job saw; returns how many became pending.

    Raises:
        ModelSwitched: photos are to be seen with another model since a migration.
    """
    require_current(connection, model_version)
    # Sorted, so that two listers of the same photos wait for each other instead of deadlocking.
    rows = sorted((photo_row(ref, album_id, model_version) for ref in refs), key=lambda row: row["id"].bytes)
    inserted = insert_new_rows(connection, photo, [row | {"job_id": job_id} for row in rows])
    known = {row["id"] for row in rows} - inserted
    if not known:
        return len(inserted)
    _link(connection, job_id, known)
    return len(inserted) + _revive(connection, known)


def require_current(connection: sa.Connection, model_version: str) -> None:
    """Refuse to take photos in for a model that is no longer worked with: they would replace those of the new one.

    Raises:
        ModelSwitched: the sentence says what to do.
    """
    columns = (model_switch.c.to_version, model_switch.c.to_pack)
    row = connection.execute(sa.select(*columns).order_by(model_switch.c.number.desc()).limit(1)).one_or_none()
    if row is not None and row.to_version != model_version:
        raise ModelSwitched(
            f"this installation was migrated to the model pack {row.to_pack} (version {row.to_version}): "
            f"restart what has version {model_version} with FACEFLEET_MODEL_PACK={row.to_pack}, or go back with "
            "`facefleet migrate --back`"
        )


def source_id_of(album_id: UUID, uri: str) -> UUID:
    """Name a photo whatever its version."""
    return uuid5(album_id, uri)


def supersede_older(connection: sa.Connection, photo_ids: Collection[UUID], source_ids: Collection[UUID]) -> None:
    """Delete whatever was listed before these photos of these sources, with its faces; the purger does its points."""
    values = {"photo_ids": list(photo_ids), "source_ids": list(source_ids)}
    deleted = connection.execute(_SUPERSEDE_OLDER, values).scalars().all()
    if deleted:
        connection.execute(DELETE_FACES, {"photo_ids": deleted})


def delete_source(connection: sa.Connection, source_id: UUID) -> None:
    """Delete every version of a photo and their faces; the purger does their points."""
    gone = photo.update().where(photo.c.source_id == source_id, is_present(photo)).values(**_DELETED)
    deleted = connection.execute(gone.returning(photo.c.id)).scalars().all()
    if deleted:
        connection.execute(DELETE_FACES, {"photo_ids": deleted})


def delete_photos(connection: sa.Connection, photo_ids: Sequence[UUID]) -> None:
    """Delete photos and their faces; the purger does their points."""
    if photo_ids:
        connection.execute(photo.update().where(photo.c.id.in_(photo_ids)).values(**_DELETED))
        connection.execute(DELETE_FACES, {"photo_ids": list(photo_ids)})


def photo_row(ref: PhotoRef, album_id: UUID, model_version: str) -> dict[str, Any]:
    """Name the columns of a photo that a listing knows."""
    return {
        "id": photo_id_of(album_id, ref.uri, ref.version, model_version),
        "album_id": album_id,
        "source_id": source_id_of(album_id, ref.uri),
        "name": ref.name,
        "sort_name": ref.name[:SORT_NAME_CHARS],
        "store_uri": ref.uri,
        "version": ref.version,
        "size_bytes": ref.size_bytes,
        "model_version": model_version,
    }


def _revive(connection: sa.Connection, known: Collection[UUID]) -> int:
    """Make known photos current again: deleted ones pending, and others that something newer was about to replace."""
    deleted = photo.update().where(photo.c.id.in_(known), row_state_is(photo.c.state, PhotoState.DELETED))
    revived = connection.execute(deleted.values(listed_at=utc_now(), **FRESH)).rowcount
    other = photo.alias("other")
    is_outdated = (
        sa.select(other.c.id)
        .where(
            other.c.source_id == photo.c.source_id,
            other.c.id != photo.c.id,
            other.c.listed_at >= photo.c.listed_at,
            is_present(other),
        )
        .exists()
    )
    settled = row_state_is(photo.c.state, PhotoState.INDEXED, PhotoState.DEAD)
    touch = photo.update().where(photo.c.id.in_(known), is_outdated).values(listed_at=utc_now())
    touched = connection.execute(touch.returning(photo.c.id, photo.c.source_id, settled.label("is_settled"))).all()
    if current := [row for row in touched if row.is_settled]:
        supersede_older(connection, [row.id for row in current], [row.source_id for row in current])
    return revived


def _link(connection: sa.Connection, job_id: UUID, photo_ids: Collection[UUID]) -> None:
    pairs = sa.select(sa.literal(job_id, sa.Uuid), photo.c.id).where(
        photo.c.id.in_(photo_ids), photo.c.job_id != job_id
    )
    connection.execute(insert_or_ignore(connection, job_photo).from_select(["job_id", "photo_id"], pairs))
