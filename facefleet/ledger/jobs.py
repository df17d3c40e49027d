"""Jobs: one indexing run over one source, the photos it saw, and how far they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4, uuid5

import sqlalchemy as sa

from facefleet.errors import AlbumNotFound, JobNotFound
from facefleet.ledger.clock import seconds_from_now, utc_now
from facefleet.ledger.database import CHUNK, Database, insert_or_ignore
from facefleet.ledger.job_statements import SELECT_COUNTS, SELECT_JOB, claim_oldest, update_listing
from facefleet.ledger.listing import list_photos
from facefleet.ledger.outbox import mark_urgent
from facefleet.ledger.schema import album, job
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
            counts = connection.execute(SELECT_COUNTS, {"wanted": job_id}).all()

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
            job_id = connection.execute(claim_oldest(lease_s)).scalar_one_or_none()
            return None if job_id is None else _find(connection, job_id)

    def renew_listing(self, job_id: UUID, lease_s: float) -> None:
        """Keep a job that is still being listed for `lease_s` more seconds."""
        with self.database.writing() as connection:
            connection.execute(update_listing(job_id).values(listing_until=seconds_from_now(lease_s)))

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
            connection.execute(update_listing(job_id).values(**later))

    def finish_listing(self, job_id: UUID) -> None:
        """Say that every photo of the source was added."""
        with self.database.writing() as connection:
            ended = {"state": JobState.RUNNING.value, "listing_until": None, "listing_ended_at": utc_now()}
            connection.execute(update_listing(job_id).values(detail=None, **ended))

    def fail_listing(self, job_id: UUID, detail: str) -> None:
        """Say that the source could not be listed, and why, in a sentence for a person."""
        with self.database.writing() as connection:
            ended = {"state": JobState.FAILED.value, "listing_until": None, "listing_ended_at": utc_now()}
            connection.execute(update_listing(job_id).values(detail=detail, **ended))


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
    row = connection.execute(SELECT_JOB, {"wanted": job_id}).one_or_none()
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
