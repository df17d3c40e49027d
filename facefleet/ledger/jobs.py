"""Jobs: one indexing run over one source, the photos it saw, and how far they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from facefleet.errors import AlbumNotFound, JobNotFound
from facefleet.ledger.clock import seconds_from_now, utc_now
from facefleet.ledger.database import CHUNK, Database
from facefleet.ledger.listing import list_photos
from facefleet.ledger.schema import album, job, job_photo, photo, state_is
from facefleet.records import Job, JobProgress, JobState, PhotoRef, PhotoState


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
            _hold_album(connection, album_id)
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

    def progress(self, job_id: UUID) -> JobProgress:
        """Count what became of the photos that the job saw; those deleted meanwhile do not count.

        Raises:
            JobNotFound: there is none (any more).
        """
        with self.database.reading() as connection:
            found = _find(connection, job_id)
            counts = connection.execute(_select_counts(job_id)).one()
        end = max((moment for moment in (counts.listing_ended_at, counts.finished_at) if moment), default=counts.now)
        ended = found.state in {JobState.DONE, JobState.FAILED} and counts.waiting == 0
        seconds = ((end if ended else counts.now) - found.created_at).total_seconds()
        return JobProgress(
            found, counts.photos, counts.indexed, counts.dead, counts.waiting, counts.faces, max(seconds, 0.0)
        )

    def claim_listing(self, lease_s: float) -> Job | None:
        """Take the oldest job that is to be listed and that nobody lists; `None` when there is none.

        Args:
            lease_s: seconds after which another lister may take it, unless `renew_listing` is called.
        """
        free = sa.or_(job.c.listing_until.is_(None), job.c.listing_until <= utc_now())
        oldest = (
            sa.select(job.c.id)
            .where(state_is(job.c.state, JobState.LISTING), free)
            .order_by(job.c.created_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        claim = job.update().where(job.c.id == oldest.scalar_subquery()).values(listing_until=seconds_from_now(lease_s))
        with self.database.writing() as connection:
            job_id = connection.execute(claim.returning(job.c.id)).scalar_one_or_none()
            return None if job_id is None else _find(connection, job_id)

    def renew_listing(self, job_id: UUID, lease_s: float) -> None:
        """Keep a job that is still being listed for `lease_s` more seconds."""
        with self.database.writing() as connection:
            connection.execute(_update_listing(job_id).values(listing_until=seconds_from_now(lease_s)))

    def add_photos(self, job_id: UUID, model_version: str, refs: Sequence[PhotoRef]) -> int:
        """Enter photos as the current versions of what they name, and link them to the job. Twice is once.

        A photo that the ledger knows stays as it is, dead ones too. A deleted one (the file came back to an older
        version) becomes pending again. Older versions go when this one is finished.

        Args:
            job_id: the job that saw them.
            model_version: what they are to be recognized with.
            refs: any number; entered in transactions of a thousand.

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
                _hold_album(connection, album_id)
                new += list_photos(connection, job_id, album_id, model_version, refs[start : start + CHUNK])
        return new

    def finish_listing(self, job_id: UUID) -> None:
        """Say that every photo of the source was added."""
        with self.database.writing() as connection:
            ended = {"state": JobState.RUNNING.value, "listing_until": None, "listing_ended_at": utc_now()}
            connection.execute(_update_listing(job_id).values(**ended))

    def fail_listing(self, job_id: UUID, detail: str) -> None:
        """Say that the source could not be listed, and why, in a sentence for a person."""
        with self.database.writing() as connection:
            ended = {"state": JobState.FAILED.value, "listing_until": None, "listing_ended_at": utc_now()}
            connection.execute(_update_listing(job_id).values(detail=detail, **ended))


def _hold_album(connection: sa.Connection, album_id: UUID) -> None:
    """Keep an album from being deleted until the transaction ends.

    Raises:
        AlbumNotFound: there is none, or it is being deleted.
    """
    present = sa.select(album.c.id).where(album.c.id == album_id, album.c.deleting_since.is_(None))
    if connection.execute(present.with_for_update(read=True)).one_or_none() is None:
        raise AlbumNotFound("there is no such album (any more)")


def _find(connection: sa.Connection, job_id: UUID) -> Job:
    row = connection.execute(_select_job(job_id)).one_or_none()
    if row is None:
        raise JobNotFound("there is no such job (any more)")
    state = JobState(row.state)
    if state == JobState.RUNNING and not row.is_waiting:
        state = JobState.DONE
    return Job(row.id, row.album_id, row.album_name, row.source, state, row.detail, row.created_at)


def _select_job(job_id: UUID) -> sa.Select[Any]:
    """Select a job; whether photos wait is asked of the index of waiting photos, which is empty when none does."""
    is_waiting = [state_is(photo.c.state, state) for state in (PhotoState.PENDING, PhotoState.LEASED)]
    seen = sa.select(job_photo.c.photo_id).where(job_photo.c.job_id == job.c.id, job_photo.c.photo_id == photo.c.id)
    entered = sa.select(photo.c.id).where(photo.c.job_id == job.c.id)
    known = sa.select(photo.c.id).where(photo.c.album_id == job.c.album_id, seen.correlate(job, photo).exists())
    waits = sa.or_(*(mine.where(each).correlate(job).exists() for mine in (entered, known) for each in is_waiting))
    columns = (job, album.c.name.label("album_name"), waits.label("is_waiting"))
    return sa.select(*columns).select_from(job.join(album)).where(job.c.id == job_id)


def _select_counts(job_id: UUID) -> sa.Select[Any]:
    """Count the photos that the job entered, in an index alone, and those that it saw again."""
    columns = (photo.c.state, photo.c.face_count, photo.c.finished_at)
    entered = sa.select(*columns).where(photo.c.job_id == job_id)
    known = sa.select(*columns).join(job_photo, job_photo.c.photo_id == photo.c.id).where(job_photo.c.job_id == job_id)
    seen = entered.union_all(known).subquery("seen")

    def count(*states: PhotoState) -> sa.ColumnElement[int]:
        return sa.func.count(sa.case((state_is(seen.c.state, *states), 1)))

    faces = sa.func.sum(sa.case((state_is(seen.c.state, PhotoState.INDEXED), seen.c.face_count)))
    return sa.select(
        count(*(state for state in PhotoState if state != PhotoState.DELETED)).label("photos"),
        count(PhotoState.INDEXED).label("indexed"),
        count(PhotoState.DEAD).label("dead"),
        count(PhotoState.PENDING, PhotoState.LEASED).label("waiting"),
        sa.func.coalesce(faces, 0).label("faces"),
        sa.func.max(seen.c.finished_at).label("finished_at"),
        sa.select(job.c.listing_ended_at).where(job.c.id == job_id).scalar_subquery().label("listing_ended_at"),
        utc_now().label("now"),
    )


def _update_listing(job_id: UUID) -> sa.Update:
    return job.update().where(job.c.id == job_id, state_is(job.c.state, JobState.LISTING))
