"""How much waits and how fast it gets done, read from the rows that the work leaves behind."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from facefleet.ledger.clock import UtcTime, utc_now
from facefleet.ledger.database import Database, connect
from facefleet.ledger.schema import photo, state_is
from facefleet.records import PhotoState

_JOBS = 5
#: A job with fewer photos says more about its start and end than about its rate.
_LEAST_PHOTOS = 100


@dataclass(frozen=True, slots=True)
class WaitingAlbum:
    """What is left of one album."""

    #: Pending and leased.
    photos: int
    leased: int
    #: How long the one that came first has waited. (Not the job's age: one job follows a bucket for ever.)
    waited_s: float


@dataclass(frozen=True, slots=True)
class FleetLoad:
    """What a fleet has to do, and how far it is, at one moment of the database's clock."""

    now: datetime
    albums: tuple[WaitingAlbum, ...]
    #: Photos that became indexed or dead since the moment that was asked for.
    finished_photos: int

    @property
    def leased_photos(self) -> int:
        """Photos that workers have in hand."""
        return sum(album.leased for album in self.albums)


def read_load(database: Database, since: datetime | None) -> FleetLoad:
    """Read what waits and what was finished lately.

    Args:
        database: of the ledger.
        since: an earlier `now`; None: nothing counts as finished.

    Raises:
        LedgerUnavailable: the ledger cannot be read.
    """
    with database.reading() as connection:
        now = connection.execute(sa.select(sa.type_coerce(utc_now(), UtcTime()))).scalar_one()
        rows = connection.execute(_WAITING).all()
        finished = connection.execute(_count_finished(since, now)).scalar_one() if since else 0
    albums = (WaitingAlbum(row.photos, row.leased, max((now - row.since).total_seconds(), 0.0)) for row in rows)
    return FleetLoad(now, tuple(albums), finished)


def measure_recent_rate(url: str) -> float | None:
    """Measure the photos a second of the last jobs, between their first finished photo and their last.

    The ledger does not say how many workers there were: it is the rate of the fleet, and that of one worker where the
    fleet runs in one process. Nothing is written, and no table is brought up to date.

    Args:
        url: of a ledger that exists.

    Returns:
        Photos a second, or None when no job is long enough.

    Raises:
        LedgerUnavailable: the ledger cannot be read.
    """
    database = connect(url)
    try:
        with database.reading() as connection:
            rows = connection.execute(_RECENT).all()
    finally:
        database.engine.dispose()
    seconds = sum((row.ended - row.began).total_seconds() for row in rows)
    return sum(row.photos - 1 for row in rows) / seconds if seconds > 0 else None


def _select_waiting() -> sa.Select[Any]:
    """Select what waits by album: each state in its own index."""
    columns = (photo.c.album_id, photo.c.next_attempt_at)
    pending, leased = (
        sa.select(*columns, sa.literal_column(is_leased, sa.Integer).label("is_leased")).where(
            state_is(photo.c.state, state)
        )
        for state, is_leased in ((PhotoState.PENDING, "0"), (PhotoState.LEASED, "1"))
    )
    each = pending.union_all(leased).subquery()
    totals: tuple[sa.ColumnElement[Any], ...] = (
        sa.func.count().label("photos"),
        sa.func.sum(each.c.is_leased).label("leased"),
        sa.type_coerce(sa.func.min(each.c.next_attempt_at), UtcTime()).label("since"),
    )
    return sa.select(*totals).group_by(each.c.album_id)


def _select_recent() -> sa.Select[Any]:
    began, ended = (find(photo.c.finished_at) for find in (sa.func.min, sa.func.max))
    columns: tuple[sa.ColumnElement[Any], ...] = (
        sa.func.count().label("photos"),
        began.label("began"),
        ended.label("ended"),
    )
    is_indexed = state_is(photo.c.state, PhotoState.INDEXED)
    jobs = sa.select(*columns).where(is_indexed).group_by(photo.c.job_id)
    return jobs.having(sa.func.count() >= _LEAST_PHOTOS).order_by(ended.desc()).limit(_JOBS)


def _count_finished(since: datetime, now: datetime) -> sa.Select[int]:
    return sa.select(sa.func.count()).where(photo.c.finished_at > since, photo.c.finished_at <= now)


_WAITING = _select_waiting()
_RECENT = _select_recent()
