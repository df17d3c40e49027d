"""Groupings of albums: which are due, who works on one, and how far it is. The rows of new photos are the outbox."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.ledger.bulk import is_in
from facefleet.ledger.clock import fresh_token, seconds_from_now, utc_now
from facefleet.ledger.database import INSERTS, Database, insert_or_ignore
from facefleet.ledger.jobs import hold_album
from facefleet.ledger.people_schema import clustering, unseen_photo
from facefleet.ledger.schema import album, job, photo, state_is
from facefleet.people_records import Clustering, ClusteringState
from facefleet.records import JobState, PhotoState

#: Longest sentence that is kept about what went wrong.
_DETAIL_MAX_CHARS = 2000
_FREE = sa.or_(clustering.c.lease_until.is_(None), clustering.c.lease_until <= utc_now())
_COUNTS = ("finished_at", "seconds", "total_faces", "clusters", "noise_faces")


@dataclass(frozen=True, slots=True)
class ClusteringLease:
    """An album whose faces this process groups until the lease ends."""

    album_id: UUID
    tenant: str
    token: UUID
    #: When somebody asked for all faces to be grouped anew; None: only new photos are to be looked at.
    wanted_at: datetime | None
    #: What the last grouping of all faces learnt; None: there was none, or it had no face.
    limits: dict[str, Any] | None
    #: Claims since the last run that ended well.
    attempt: int


@dataclass(frozen=True)
class Clusterings:
    """`waiting -> running -> done | failed`. Owned by the database; who groups holds a token only."""

    database: Database

    def want(self, album_id: UUID) -> None:
        """Ask for all faces of an album to be grouped anew; a run that is under way does not count.

        Raises:
            AlbumNotFound: there is no such album, or it is being deleted.
        """
        wanted = {"wanted_at": utc_now(), "attempt": 0, "next_attempt_at": utc_now(), "dispatched_at": None}
        with self.database.writing() as connection:
            hold_album(connection, album_id)
            connection.execute(insert_or_ignore(connection, clustering).values(album_id=album_id))
            mine = clustering.update().where(clustering.c.album_id == album_id)
            connection.execute(mine.values(detail=None, **wanted))

    def show(self, album_id: UUID, max_attempts: int) -> Clustering:
        """Say how far the grouping of an album is."""
        unseen = sa.select(sa.func.count()).where(unseen_photo.c.album_id == album_id)
        running = sa.and_(clustering.c.lease_until > utc_now(), clustering.c.lease_token.is_not(None))
        with self.database.reading() as connection:
            new_photos = connection.execute(unseen).scalar_one()
            found = sa.select(clustering, running.label("is_running")).where(clustering.c.album_id == album_id)
            row = connection.execute(found).one_or_none()
        counts = {name: getattr(row, name) if row else None for name in _COUNTS}
        state = _state_of(row, new_photos, max_attempts)
        return Clustering(state, row.detail if row else None, new_photos, **counts)

    def due(self, limit: int, longest_wait_s: float, redispatch_after_s: float, max_attempts: int) -> list[UUID]:
        """List albums that are to be grouped now and are not on their way.

        Args:
            limit: at most this many.
            longest_wait_s: an album into which photos keep coming is grouped once the first of them waited this long;
                any other when all its photos are indexed.
            redispatch_after_s: what was dispatched this long ago and not claimed was lost on the way.
            max_attempts: an album that failed this often waits until somebody asks for it.
        """
        statement = _select_due(limit, longest_wait_s, redispatch_after_s, max_attempts)
        with self.database.reading() as connection:
            return list(connection.execute(statement).scalars())

    def mark_dispatched(self, album_id: UUID) -> None:
        """Remember that an album was sent to the broker; one that is claimed already stays as it is."""
        with self.database.writing() as connection:
            present = sa.select(album.c.id, utc_now(), sa.literal(0)).where(album.c.id == album_id)
            names = ["album_id", "next_attempt_at", "attempt"]
            connection.execute(insert_or_ignore(connection, clustering).from_select(names, present))
            unclaimed = clustering.update().where(clustering.c.album_id == album_id, _FREE)
            connection.execute(unclaimed.values(dispatched_at=utc_now()))

    def claim(self, album_id: UUID, lease_s: float) -> ClusteringLease | None:
        """Take an album; None when somebody else has it, or nothing is to be done. The attempt counts before the work.

        Args:
            album_id: whose faces are to be grouped.
            lease_s: seconds until it is given up, unless renewed.
        """
        unseen = sa.select(unseen_photo.c.photo_id).where(unseen_photo.c.album_id == album_id)
        stale = sa.or_(clustering.c.wanted_at.is_not(None), unseen.exists())
        present = sa.select(album.c.id, utc_now(), sa.literal(0))
        present = present.where(album.c.id == album_id, album.c.deleting_since.is_(None))
        columns = (clustering.c.lease_token, clustering.c.wanted_at, clustering.c.limits, clustering.c.attempt)
        with self.database.writing() as connection:
            names = ["album_id", "next_attempt_at", "attempt"]
            connection.execute(insert_or_ignore(connection, clustering).from_select(names, present))
            claim = clustering.update().where(clustering.c.album_id == album_id, _FREE, stale)
            taken = {"lease_token": fresh_token(), "lease_until": seconds_from_now(lease_s), "dispatched_at": None}
            row = connection.execute(
                claim.values(attempt=clustering.c.attempt + 1, **taken).returning(*columns)
            ).one_or_none()
            if row is None:
                return None
            tenant = connection.execute(sa.select(album.c.tenant).where(album.c.id == album_id)).scalar_one()
        return ClusteringLease(album_id, tenant, row.lease_token, row.wanted_at, row.limits, row.attempt)

    def renew(self, lease: ClusteringLease, lease_s: float) -> bool:
        """Keep an album for `lease_s` more seconds; returns whether it is still the caller's."""
        renewal = clustering.update().where(*is_held(lease)).values(lease_until=seconds_from_now(lease_s))
        with self.database.writing() as connection:
            return connection.execute(renewal).rowcount > 0

    def release(self, lease: ClusteringLease, delay_s: float, detail: str, *, burn_attempt: bool) -> None:
        """Give an album back for a later attempt; nothing happens when it is no longer the caller's.

        Args:
            lease: what `claim` returned.
            delay_s: seconds before anybody may claim it.
            detail: why, for a person.
            burn_attempt: whether the attempt counts against the album.
        """
        later = {"next_attempt_at": seconds_from_now(delay_s), "lease_token": None, "lease_until": None}
        attempt = clustering.c.attempt if burn_attempt else clustering.c.attempt - 1
        with self.database.writing() as connection:
            mine = clustering.update().where(*is_held(lease))
            connection.execute(mine.values(attempt=attempt, detail=detail[:_DETAIL_MAX_CHARS], **later))

    def forget_messages(self) -> None:
        """Have every album sent again that waits: the broker that the messages were in is gone."""
        with self.database.writing() as connection:
            connection.execute(clustering.update().values(dispatched_at=None))

    def expire_all(self) -> None:
        """Let every lease end now: their owners are known to be dead."""
        with self.database.writing() as connection:
            connection.execute(clustering.update().values(lease_until=None, lease_token=None))


def is_held(lease: ClusteringLease) -> tuple[sa.ColumnElement[bool], ...]:
    """Whether the row is still the lease's; a token is drawn for every claim."""
    return clustering.c.album_id == lease.album_id, clustering.c.lease_token == lease.token


def mark_unseen(connection: sa.Connection, photo_ids: Collection[UUID]) -> None:
    """Say that faces of these photos were written."""
    if photo_ids:
        connection.execute(_MARK_UNSEEN[connection.dialect.name], {"photo_ids": photo_ids})


def build_mark_unseen(dialect_name: str, parameter: str, *conditions: sa.ColumnElement[bool]) -> Any:  # noqa: ANN401 - two dialects' Insert classes
    """Build what `mark_unseen` does to the photos whose ids are a parameter; to none if a condition does not hold."""
    fresh = {"stamp": fresh_token(), "entered_at": utc_now()}
    new = sa.select(photo.c.id, photo.c.album_id, *fresh.values()).where(is_in(photo.c.id, parameter), *conditions)
    insert = INSERTS[dialect_name](unseen_photo)
    insert = insert.from_select(["photo_id", "album_id", *fresh], new.order_by(photo.c.id))
    again = {name: insert.excluded[name] for name in fresh}
    return insert.on_conflict_do_update(index_elements=[unseen_photo.c.photo_id], set_=again)


_MARK_UNSEEN = {name: build_mark_unseen(name, "photo_ids") for name in INSERTS}


@cache
def _select_due(limit: int, longest_wait_s: float, redispatch_after_s: float, max_attempts: int) -> sa.Select[UUID]:
    """Built once: the dispatcher runs it several times a second."""
    unseen = sa.select(unseen_photo.c.photo_id).where(unseen_photo.c.album_id == album.c.id)
    waited = unseen.where(unseen_photo.c.entered_at <= seconds_from_now(-longest_wait_s))
    is_new = sa.or_(sa.and_(unseen.exists(), ~_is_indexing()), waited.exists())
    lost = clustering.c.dispatched_at <= seconds_from_now(-redispatch_after_s)
    is_free = sa.and_(
        clustering.c.attempt < max_attempts,
        clustering.c.next_attempt_at <= utc_now(),
        _FREE,
        sa.or_(clustering.c.dispatched_at.is_(None), lost),
    )
    return (
        sa.select(album.c.id)
        .outerjoin(clustering, clustering.c.album_id == album.c.id)
        .where(album.c.deleting_since.is_(None), sa.or_(clustering.c.album_id.is_(None), is_free))
        .where(sa.or_(clustering.c.wanted_at.is_not(None), is_new))
        .order_by(clustering.c.wanted_at.is_(None), clustering.c.wanted_at, album.c.id)
        .limit(limit)
    )


def _is_indexing() -> sa.ColumnElement[bool]:
    """Whether photos of the album still wait to be indexed, or to be listed."""
    waiting = state_is(photo.c.state, PhotoState.PENDING, PhotoState.LEASED)
    photos = sa.select(photo.c.id).where(photo.c.album_id == album.c.id, waiting)
    listing = sa.select(job.c.id).where(job.c.album_id == album.c.id, state_is(job.c.state, JobState.LISTING))
    return sa.or_(photos.exists(), listing.exists())


def _state_of(row: sa.Row[Any] | None, new_photos: int, max_attempts: int) -> ClusteringState:
    if row is not None and row.is_running:
        return ClusteringState.RUNNING
    if new_photos or (row is not None and row.wanted_at is not None):
        return ClusteringState.FAILED if row is not None and row.attempt >= max_attempts else ClusteringState.WAITING
    return ClusteringState.NONE if row is None or row.finished_at is None else ClusteringState.DONE
