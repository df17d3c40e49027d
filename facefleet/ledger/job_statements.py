"""Statements about jobs, built once: building one costs more than running it."""

from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningUpdate

from facefleet.ledger.clock import seconds_from_now, utc_now
from facefleet.ledger.schema import album, job, job_photo, photo, state_is
from facefleet.records import JobState, PhotoState

_WANTED = sa.bindparam("wanted", type_=sa.Uuid)


@cache
def claim_oldest(lease_s: float) -> ReturningUpdate[Any]:
    """Take the source that waits longest to be listed, and that nobody lists; returns its job's id."""
    free = sa.or_(job.c.listing_until.is_(None), job.c.listing_until <= utc_now())
    oldest = (
        sa.select(job.c.id)
        .where(state_is(job.c.state, JobState.LISTING), free)
        .order_by(job.c.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    claim = job.update().where(job.c.id == oldest.scalar_subquery()).values(listing_until=seconds_from_now(lease_s))
    return claim.returning(job.c.id)


def _build_select_job() -> sa.Select[Any]:
    """Select a job; whether photos wait is asked of the index of waiting photos, which is empty when none does."""
    is_waiting = [state_is(photo.c.state, state) for state in (PhotoState.PENDING, PhotoState.LEASED)]
    seen = sa.select(job_photo.c.photo_id).where(job_photo.c.job_id == job.c.id, job_photo.c.photo_id == photo.c.id)
    entered = sa.select(photo.c.id).where(photo.c.job_id == job.c.id)
    known = sa.select(photo.c.id).where(photo.c.album_id == job.c.album_id, seen.correlate(job, photo).exists())
    waits = sa.or_(*(mine.where(each).correlate(job).exists() for mine in (entered, known) for each in is_waiting))
    columns = (
        job,
        album.c.name.label("album_name"),
        album.c.tenant,
        album.c.deleting_since,
        waits.label("is_waiting"),
        utc_now().label("now"),
    )
    return sa.select(*columns).select_from(job.join(album)).where(job.c.id == _WANTED)


#: The job `wanted`.
SELECT_JOB = _build_select_job()


def _build_select_counts() -> sa.CompoundSelect[Any]:
    """Count the photos that the job entered, in an index alone, and those that it saw again, by state."""
    totals = (
        photo.c.state,
        sa.func.count().label("photos"),
        sa.func.sum(photo.c.face_count).label("faces"),
        sa.func.max(photo.c.finished_at).label("finished_at"),
    )
    entered = sa.select(*totals).where(photo.c.job_id == _WANTED)
    known = sa.select(*totals).join(job_photo, job_photo.c.photo_id == photo.c.id).where(job_photo.c.job_id == _WANTED)
    return entered.group_by(photo.c.state).union_all(known.group_by(photo.c.state))


#: Of the job `wanted`.
SELECT_COUNTS = _build_select_counts()


def update_listing(job_id: UUID) -> sa.Update:
    """Change a job, unless its listing has ended."""
    return job.update().where(job.c.id == job_id, state_is(job.c.state, JobState.LISTING))
