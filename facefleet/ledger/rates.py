"""How fast photos were indexed, read from the rows that the work left behind."""

import sqlalchemy as sa

from facefleet.ledger.database import connect
from facefleet.ledger.schema import photo, state_is
from facefleet.records import PhotoState

_JOBS = 5
#: A job with fewer photos says more about its start and end than about its rate.
_LEAST_PHOTOS = 100


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
    ended = sa.func.max(photo.c.finished_at)
    jobs = (
        sa.select(
            sa.func.count().label("photos"), sa.func.min(photo.c.finished_at).label("began"), ended.label("ended")
        )
        .where(state_is(photo.c.state, PhotoState.INDEXED))
        .group_by(photo.c.job_id)
        .having(sa.func.count() >= _LEAST_PHOTOS)
        .order_by(ended.desc())
        .limit(_JOBS)
    )
    database = connect(url)
    try:
        with database.reading() as connection:
            rows = connection.execute(jobs).all()
    finally:
        database.engine.dispose()
    seconds = sum((row.ended - row.began).total_seconds() for row in rows)
    return sum(row.photos - 1 for row in rows) / seconds if seconds > 0 else None
