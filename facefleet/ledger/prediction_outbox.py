"""Photos whose faces are still to be predicted: which are due, and who works on them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.ledger.bulk import is_in
from facefleet.ledger.clock import fresh_token, seconds_from_now, utc_now
from facefleet.ledger.database import Database, insert_into
from facefleet.ledger.people_schema import person
from facefleet.ledger.prediction_schema import prediction, unpredicted_photo
from facefleet.ledger.schema import album, face, photo, state_is
from facefleet.records import PhotoState

_IS_INDEXED = state_is(photo.c.state, PhotoState.INDEXED)
_FREE = unpredicted_photo.c.not_before <= utc_now()
_MINE = unpredicted_photo.c.photo_id
_FRESH = {
    "stamp": fresh_token(),
    "entered_at": utc_now(),
    "dispatched_at": sa.null(),
    "not_before": utc_now(),
    "attempt": sa.literal(0),
}
_NAMED = sa.select(person.c.id).where(person.c.tenant == album.c.tenant, person.c.name.is_not(None))
_HAS_NAMED = _NAMED.where(person.c.root_id == person.c.id, person.c.gone_at.is_(None)).exists()
#: Asked by itself, because the answer is mostly no: building and planning the INSERT takes longer.
SELECT_ALBUMS_WITH_NAMED = sa.select(album.c.id).where(is_in(album.c.id, "album_ids"), _HAS_NAMED)


@dataclass(frozen=True)
class PredictionOutbox:
    """Owned by the database. Two who work on the same photo at once write the same."""

    database: Database

    def due(self, limit: int, redispatch_after_s: float, max_attempts: int) -> dict[UUID, list[UUID]]:
        """List photos that are to be worked on and are not on their way, those that waited longest first.

        Args:
            limit: at most this many.
            redispatch_after_s: what was dispatched this long ago and not claimed was lost on the way.
            max_attempts: a photo that failed this often is left alone.

        Returns:
            {album id: photo ids}.
        """
        found: dict[UUID, list[UUID]] = {}
        with self.database.reading() as connection:
            for row in connection.execute(_select_due(limit, redispatch_after_s, max_attempts)):
                found.setdefault(row.album_id, []).append(row.photo_id)
        return found

    def mark_dispatched(self, photo_ids: Collection[UUID]) -> None:
        """Remember that photos were sent to the broker; those that were claimed already stay as they are."""
        unclaimed = unpredicted_photo.update().where(_MINE.in_(photo_ids), _FREE)
        with self.database.writing() as connection:
            connection.execute(unclaimed.values(dispatched_at=utc_now()))

    def claim(self, photo_ids: Collection[UUID], lease_s: float) -> dict[UUID, UUID]:
        """Take photos that nobody is at. The attempt counts before the work.

        Args:
            photo_ids: at most some hundred.
            lease_s: seconds until they are given up.

        Returns:
            {photo id: stamp}.
        """
        taken = {"not_before": seconds_from_now(lease_s), "dispatched_at": None}
        claim = unpredicted_photo.update().where(_MINE.in_(photo_ids), _FREE)
        claim = claim.values(attempt=unpredicted_photo.c.attempt + 1, **taken)
        with self.database.writing() as connection:
            rows = connection.execute(claim.returning(_MINE, unpredicted_photo.c.stamp))
            return {row.photo_id: row.stamp for row in rows}

    def release(self, stamps: Mapping[UUID, UUID], delay_s: float, *, burn_attempt: bool) -> None:
        """Give photos back for a later attempt; those that were indexed anew meanwhile stay as they are.

        Args:
            stamps: what `claim` returned.
            delay_s: seconds before anybody may claim them.
            burn_attempt: whether the attempt counts against them.
        """
        attempt = unpredicted_photo.c.attempt if burn_attempt else unpredicted_photo.c.attempt - 1
        mine = unpredicted_photo.update().where(_MINE.in_(stamps), unpredicted_photo.c.stamp.in_(stamps.values()))
        with self.database.writing() as connection:
            connection.execute(mine.values(attempt=attempt, not_before=seconds_from_now(delay_s)))

    def want(self, album_id: UUID, *, again: bool) -> int:
        """Have the indexed photos of an album predicted that have faces; returns how many.

        Args:
            album_id: the album.
            again: also those that have predictions already.
        """
        mine = sa.and_(photo.c.album_id == album_id, photo.c.face_count > 0, _IS_INDEXED)
        said = sa.select(prediction.c.face_id).join(face, face.c.id == prediction.c.face_id)
        if not again:
            mine = sa.and_(mine, ~said.where(face.c.photo_id == photo.c.id).exists())
        with self.database.writing() as connection:
            return _enter(connection, mine)

    def forget_messages(self) -> None:
        """Have every photo sent again that waits: the broker that the messages were in is gone."""
        with self.database.writing() as connection:
            connection.execute(unpredicted_photo.update().values(dispatched_at=None))

    def expire_all(self) -> None:
        """Let every claim end now: their owners are known to be dead."""
        with self.database.writing() as connection:
            connection.execute(unpredicted_photo.update().values(not_before=utc_now()))


def mark_unpredicted(connection: sa.Connection, photo_ids: Collection[UUID], album_ids: Collection[UUID]) -> None:
    """Say that faces of these photos, of these albums, were written; tenants without named people are left out."""
    if photo_ids and connection.execute(SELECT_ALBUMS_WITH_NAMED, {"album_ids": album_ids}).first() is not None:
        enter_unpredicted(connection, photo_ids)


def enter_unpredicted(connection: sa.Connection, photo_ids: Collection[UUID]) -> None:
    """Say the same where some tenant is known to have named people."""
    _enter(connection, photo.c.id.in_(photo_ids))


def _enter(connection: sa.Connection, which: sa.ColumnElement[bool]) -> int:
    """Let photos wait, but for those of tenants without named people; returns how many."""
    new = sa.select(photo.c.id, photo.c.album_id, *_FRESH.values()).join(album, album.c.id == photo.c.album_id)
    new = new.where(which, _HAS_NAMED).order_by(photo.c.id)
    insert = insert_into(connection, unpredicted_photo).from_select(["photo_id", "album_id", *_FRESH], new)
    again = {name: insert.excluded[name] for name in _FRESH}
    enter = insert.on_conflict_do_update(index_elements=[_MINE], set_=again)
    return connection.execute(enter, execution_options={"preserve_rowcount": True}).rowcount


@cache
def _select_due(limit: int, redispatch_after_s: float, max_attempts: int) -> sa.Select[Any]:
    """Built once: the dispatcher runs it several times a second."""
    lost = unpredicted_photo.c.dispatched_at <= seconds_from_now(-redispatch_after_s)
    is_due = sa.and_(
        unpredicted_photo.c.attempt < max_attempts,
        _FREE,
        sa.or_(unpredicted_photo.c.dispatched_at.is_(None), lost),
    )
    rows = sa.select(_MINE, unpredicted_photo.c.album_id).where(is_due)
    return rows.order_by(unpredicted_photo.c.entered_at, _MINE).limit(limit)
