"""Jobs: one indexing run over one source, the photos it saw, and how far they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID, uuid4, uuid5

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningUpdate

from facefleet.errors import AlbumNotFound, JobNotFound
from facefleet.ledger.clock import seconds_from_now, utc_now
from facefleet.ledger.database import CHUNK, Database, insert_or_ignore
from facefleet.ledger.listing import list_photos
from facefleet.ledger.outbox import mark_urgent
from facefleet.ledger.schema import album, job, job_photo, photo, state_is
from facefleet.records import DEFAULT_TENANT, Job, JobProgress, JobState, PhotoRef, PhotoState, photo_id_of


@dataclass(frozen=True)
class Jobs:
    """What the ledger knows about jobs."""

    database: Database

    def create(self, album_id: UUID, source: str, state: JobState = JobState.LISTING) -> Job:
        """Begin a job.

        Args:
            album_id: whose photos it indexes.
            source: `file:///dir`, `s3://bucket/prefix`, or `uploads:`.
            state: `running` when its photos are added by the caller and nothing has to be listed.

        Raises:
            AlbumNotFound: there is no such album, or it is being deleted.
        """
        job_id = uuid4()
        ended = None if state == JobState.LISTING else utc_now()
        with self.database.writing() as connection:
            hold_album(connection, album_id)
            new = job.insert().values(
                id=job_id, album_id=album_id, source=source, state=state.value, listing_ended_at=ended
            )
            connection.execute(new)
            return _find(connection, job_id)

    def get(self, job_id: UUID) -> Job:
        """Find a job.

        Raises:
            JobNotFound: there is none (any more).
        """
        with self.database.reading() as connection:
            return _find(connection, job_id)

    def progress(self, job_id: UUID, tenant: str = DEFAULT_TENANT) -> JobProgress:
        """Count what became of the photos that the job saw; those deleted meanwhile do not count.

        Raises:
            JobNotFound: the tenant has none (any more).
        """
        with self.database.reading() as connection:
            row = _fetch(connection, job_id)
            if row.tenant != tenant:
                raise JobNotFound("there is no such job (any more)")
            counts = connection.execute(_SELECT_COUNTS, {"wanted": job_id}).all()

        def count(*states: PhotoState) -> int:
            return sum(each.photos for each in counts if each.state in states)

        waiting = count(PhotoState.PENDING, PhotoState.LEASED)
        indexed, dead = count(PhotoState.INDEXED), count(PhotoState.DEAD)
        ends = [moment for moment in (row.listing_ended_at, *(each.finished_at for each in counts)) if moment]
        end = row.now if waiting or row.state == JobState.LISTING else max(ends)
        return JobProgress(
            _job_of(row),
            photos=waiting + indexed + dead,
            indexed=indexed,
            dead=dead,
            waiting=waiting,
            faces=sum(each.faces or 0 for each in counts if each.state == PhotoState.INDEXED),
            seconds=max((end - row.created_at).total_seconds(), 0.0),
        )

    def claim_listing(self, lease_s: float) -> Job | None:
        """Take the oldest job that is to be listed and that nobody lists; `None` when there is none.

        Args:
            lease_s: seconds after which another lister may take it, unless `renew_listing` is called.
        """
        with self.database.writing() as connection:
            job_id = connection.execute(_claim_oldest(lease_s)).scalar_one_or_none()
            return None if job_id is None else _find(connection, job_id)

    def renew_listing(self, job_id: UUID, lease_s: float) -> None:
        """Keep a job that is still being listed for `lease_s` more seconds."""
        with self.database.writing() as connection:
            connection.execute(_update_listing(job_id).values(listing_until=seconds_from_now(lease_s)))

    def add_photos(self, job_id: UUID, model_version: str, refs: Sequence[PhotoRef], *, urgent: bool = False) -> int:
        """Enter photos as the current versions of what they name, and link them to the job. Twice is once.

        A photo that the ledger knows stays as it is, dead ones too. A deleted one (the file came back to an older
        version) becomes pending again. Older versions go when this one is finished.

        Args:
            job_id: the job that saw them.
            model_version: what they are to be recognized with.
            refs: any number; entered in transactions of a thousand.
            urgent: the relay is to send them before all others.

        Returns:
            How many are pending because of this call.

        Raises:
            JobNotFound: there is no such job (any more).
            AlbumNotFound: its album is being deleted.
        """
        new = 0
        for start in range(0, len(refs), CHUNK):
            with self.database.writing() as connection:
                album_id = _find(connection, job_id).album_id
                hold_album(connection, album_id)
                page = refs[start : start + CHUNK]
                new += list_photos(connection, job_id, album_id, model_version, page)
                if urgent:
                    mark_urgent(
                        connection, [photo_id_of(album_id, ref.uri, ref.version, model_version) for ref in page]
                    )
        return new

    def postpone_listing(self, job_id: UUID, delay_s: float, detail: str | None) -> None:
        """Give a job back that is not listed to its end; it is begun again, and knows the photos it added.

        Args:
            job_id: the job.
            delay_s: seconds before anybody may take it.
            detail: why, in a sentence for a person who follows it.
        """
        with self.database.writing() as connection:
            later = {"listing_until": seconds_from_now(delay_s), "detail": detail}
            connection.execute(_update_listing(job_id).values(**later))

    def finish_listing(self, job_id: UUID) -> None:
        """Say that every photo of the source was added."""
        with self.database.writing() as connection:
            ended = {"state": JobState.RUNNING.value, "listing_until": None, "listing_ended_at": utc_now()}
            connection.execute(_update_listing(job_id).values(detail=None, **ended))

    def fail_listing(self, job_id: UUID, detail: str) -> None:
        """Say that the source could not be listed, and why, in a sentence for a person."""
        with self.database.writing() as connection:
            ended = {"state": JobState.FAILED.value, "listing_until": None, "listing_ended_at": utc_now()}
            connection.execute(_update_listing(job_id).values(detail=detail, **ended))


def hold_album(connection: sa.Connection, album_id: UUID) -> None:
    """Keep an album from being deleted until the transaction ends.

    Raises:
        AlbumNotFound: there is none, or it is being deleted.
    """
    present = sa.select(album.c.id).where(album.c.id == album_id, album.c.deleting_since.is_(None))
    if connection.execute(present.with_for_update(read=True)).one_or_none() is None:
        raise AlbumNotFound("there is no such album (any more)")


def standing_job_id(album_id: UUID, source: str) -> UUID:
    """Name the one job of an album for photos that come singly, whether it was entered yet or not."""
    return uuid5(album_id, source)


def ensure_job(connection: sa.Connection, album_id: UUID, source: str) -> UUID:
    """Enter the standing job of an album, unless it is there; returns its id."""
    job_id = standing_job_id(album_id, source)
    row = {"id": job_id, "album_id": album_id, "source": source, "state": JobState.RUNNING.value}
    connection.execute(insert_or_ignore(connection, job).values(listing_ended_at=utc_now(), **row))
    return job_id


def _fetch(connection: sa.Connection, job_id: UUID) -> sa.Row[Any]:
    row = connection.execute(_SELECT_JOB, {"wanted": job_id}).one_or_none()
    if row is None:
        raise JobNotFound("there is no such job (any more)")
    return row


def _job_of(row: sa.Row[Any]) -> Job:
    state = JobState(row.state)
    if state == JobState.RUNNING and not row.is_waiting:
        state = JobState.DONE
    detail = row.detail
    if row.deleting_since is not None and state != JobState.FAILED:
        state, detail = JobState.FAILED, "the album was deleted"
    return Job(row.id, row.album_id, row.album_name, row.source, state, detail, row.created_at)


def _find(connection: sa.Connection, job_id: UUID) -> Job:
    return _job_of(_fetch(connection, job_id))


@cache
def _claim_oldest(lease_s: float) -> ReturningUpdate[Any]:
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


_WANTED = sa.bindparam("wanted", type_=sa.Uuid)


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


_SELECT_JOB = _build_select_job()


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


_SELECT_COUNTS = _build_select_counts()


def _update_listing(job_id: UUID) -> sa.Update:
    return job.update().where(job.c.id == job_id, state_is(job.c.state, JobState.LISTING))
