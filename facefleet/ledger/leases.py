"""Leases: who works on which photo, and what came of it. Owned by the database; workers hold tokens only."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningUpdate

from facefleet.errors import CrashedWorker
from facefleet.ledger import outbox
from facefleet.ledger.bulk import is_in
from facefleet.ledger.clock import fresh_token, seconds_from_now, utc_now
from facefleet.ledger.database import CHUNK, Database
from facefleet.ledger.finishing import Finishing
from facefleet.ledger.listing import delete_photos, list_photos
from facefleet.ledger.message_sizes import SMALL_MESSAGES, MessageSizes
from facefleet.ledger.schema import job, job_photo, photo, row_state_is, state_is
from facefleet.ledger.settling import IS_HELD, bury_photos, lock_held, tokens_of
from facefleet.ledger.unkept import HAS_UNKEPT
from facefleet.records import (
    Backlog,
    FailedPhoto,
    FinishedPhoto,
    JobState,
    LeasedPhoto,
    PhotoRef,
    PhotoState,
    SweepResult,
)

_UNLEASED: dict[str, Any] = {"lease_token": None, "lease_until": None, "dispatched_at": None}


def _build_claim(claimable: sa.ColumnElement[bool]) -> ReturningUpdate[Any]:
    # Locked in the order of ids: two claims of the same ids wait for each other instead of deadlocking.
    mine = sa.select(photo.c.id).where(is_in(photo.c.id, "photo_ids"), claimable).order_by(photo.c.id).with_for_update()
    claim = (
        photo.update()
        .where(photo.c.id.in_(mine))
        .values(
            state=PhotoState.LEASED.value,
            attempt=photo.c.attempt + 1,
            crash_count=photo.c.crash_count + sa.case((state_is(photo.c.state, PhotoState.LEASED), 1), else_=0),
            lease_token=fresh_token(),
            lease_until=seconds_from_now(sa.bindparam("lease_s", type_=sa.Double)),
        )
    )
    columns = dict(photo.c) | {"has_unkept": HAS_UNKEPT}
    return claim.returning(*(columns[field] for field in LeasedPhoto.__dataclass_fields__))


_IS_DUE = sa.and_(row_state_is(photo.c.state, PhotoState.PENDING), photo.c.next_attempt_at <= utc_now())
_IS_ABANDONED = sa.and_(row_state_is(photo.c.state, PhotoState.LEASED), photo.c.lease_until <= utc_now())
_CLAIM = _build_claim(sa.and_(_IS_DUE, photo.c.crash_count == 0))
_CLAIM_ALONE = _build_claim(sa.or_(_IS_DUE, _IS_ABANDONED))


@dataclass(frozen=True)
class Leases:
    """`pending -> leased -> indexed | dead | deleted`, and the way back to pending."""

    database: Database
    finishing: Finishing

    def claim(self, photo_ids: Sequence[UUID], lease_s: float) -> list[LeasedPhoto]:
        """Take photos that are due; each id goes to one caller. The attempt counts before the work begins.

        A photo that a worker may have died on (it crashed before, or its lease ran out) is only handed out alone,
        so that it takes no neighbour along.

        Args:
            photo_ids: those of one message.
            lease_s: seconds until they are given up, unless renewed.

        Returns:
            Those that the caller owns now; the others are not due, or somebody else's.
        """
        claim, asked = _CLAIM_ALONE if len(photo_ids) == 1 else _CLAIM, {"photo_ids": photo_ids, "lease_s": lease_s}
        with self.database.writing_once() as connection:
            return [LeasedPhoto(*row) for row in connection.execute(claim, asked)]

    def renew(self, leased: Sequence[LeasedPhoto], lease_s: float) -> set[UUID]:
        """Keep photos for `lease_s` more seconds; returns the ids that are still the caller's."""
        renewal = photo.update().where(IS_HELD).values(lease_until=seconds_from_now(lease_s))
        with self.database.writing() as connection:
            return set(connection.execute(renewal.returning(photo.c.id), tokens_of(leased)).scalars())

    def finish(self, results: Sequence[FinishedPhoto]) -> set[UUID]:
        """Record what was found, replacing the faces of earlier attempts and of older versions of the photo.

        Returns:
            The ids that were still the caller's; of the others nothing was written.
        """
        return self.finishing.finish(results)

    def bury(self, failures: Sequence[FailedPhoto]) -> set[UUID]:
        """Give photos up; older versions go as they do in `finish`. Returns the ids that were still the caller's."""
        with self.database.writing() as connection:
            return bury_photos(connection, failures)

    def replace(self, leased: LeasedPhoto, new_version: str, size_bytes: int) -> bool:
        """Enter the version that is in the store now, for the same jobs, and delete the one that was leased.

        Returns:
            Whether the photo was still the caller's.
        """
        ref = PhotoRef(leased.store_uri, leased.name, new_version, size_bytes)
        entered = sa.select(photo.c.job_id).where(photo.c.id == leased.id)
        saw = sa.select(job_photo.c.job_id).join(job).where(job.c.album_id == leased.album_id)
        job_ids = entered.union_all(saw.where(job_photo.c.photo_id == leased.id))
        with self.database.writing() as connection:
            if not lock_held(connection, [leased]):
                return False
            delete_photos(connection, [leased.id])
            for job_id in connection.execute(job_ids).scalars().all():
                list_photos(connection, job_id, leased.album_id, leased.model_version, [ref])
            return True

    def release(self, leased: LeasedPhoto, delay_s: float, *, burn_attempt: bool) -> None:
        """Give a photo back for a later attempt.

        Args:
            leased: nothing happens when it is no longer the caller's.
            delay_s: seconds before anybody may claim it.
            burn_attempt: whether the attempt counts against the photo.
        """
        values = {"state": PhotoState.PENDING.value, "next_attempt_at": seconds_from_now(delay_s), **_UNLEASED}
        attempt = photo.c.attempt if burn_attempt else photo.c.attempt - 1
        with self.database.writing() as connection:
            connection.execute(photo.update().where(IS_HELD).values(attempt=attempt, **values), tokens_of([leased]))

    def recall(self, photo_ids: Sequence[UUID]) -> None:
        """Have photos sent again that were not claimed, because who received their message does not want it."""
        unsent = photo.update().where(photo.c.id.in_(photo_ids), state_is(photo.c.state, PhotoState.PENDING))
        with self.database.writing() as connection:
            connection.execute(unsent.values(dispatched_at=None))

    def forget_messages(self) -> None:
        """Have every pending photo sent again: the broker that the messages were in is gone."""
        sent = sa.and_(state_is(photo.c.state, PhotoState.PENDING), photo.c.dispatched_at.is_not(None))
        with self.database.writing() as connection:
            connection.execute(photo.update().where(sent).values(dispatched_at=None))

    def expire_all(self) -> None:
        """Let every lease run out now: their owners are known to be dead. The next sweep takes the photos back."""
        leased, listed = state_is(photo.c.state, PhotoState.LEASED), state_is(job.c.state, JobState.LISTING)
        with self.database.writing() as connection:
            connection.execute(photo.update().where(leased).values(lease_until=utc_now()))
            connection.execute(job.update().where(listed).values(listing_until=None))

    def sweep(self, max_crashes: int) -> SweepResult:
        """Take back the photos whose lease ran out.

        Args:
            max_crashes: a photo that lost its worker this often is dead.
        """
        expired = (
            sa.select(photo.c.id)
            .where(state_is(photo.c.state, PhotoState.LEASED), photo.c.lease_until <= utc_now())
            .limit(CHUNK)
            # What is locked is being finished or renewed: its worker lives.
            .with_for_update(skip_locked=True)
        )
        with self.database.writing() as connection:
            expired_ids = connection.execute(expired).scalars().all()
            swept = photo.update().where(photo.c.id.in_(expired_ids)).values(**_values_after_crash(max_crashes))
            states = list(connection.execute(swept.returning(photo.c.state)).scalars()) if expired_ids else []
        return SweepResult(states.count(PhotoState.PENDING), states.count(PhotoState.DEAD))

    def waiting(
        self, limit: int, redispatch_after_s: float, sizes: MessageSizes = SMALL_MESSAGES
    ) -> list[tuple[UUID, list[UUID]]]:
        """List photos that are due and not on their way, as messages in the order in which to send them.

        What fits into one message goes first, so that a small album never waits behind a large one; then mostly the
        album that has waited longest, and now and then any other. A photo that lost a worker comes alone.

        Args:
            limit: at most this many photos.
            redispatch_after_s: what was dispatched this long ago and not claimed was lost on the way.
            sizes: of the messages, of one album in one turn each.

        Returns:
            (album id, photo ids) for every message.
        """
        with self.database.reading() as connection:
            return outbox.plan_messages(connection, limit, redispatch_after_s, sizes)

    def has_unsent(self, redispatch_after_s: float) -> bool:
        """Say whether `waiting` or `urgent` may list anything, which mostly they do not."""
        with self.database.reading() as connection:
            return connection.execute(outbox.ask_for_unsent(redispatch_after_s)).scalar_one()

    def urgent(self, limit: int, message_size: int = 8) -> list[tuple[UUID, list[UUID]]]:
        """List at most `limit` photos that are to go before all others, as `waiting` does."""
        with self.database.reading() as connection:
            return outbox.plan_urgent(connection, limit, message_size)

    def small_albums(self, album_ids: Collection[UUID], most_photos: int) -> set[UUID]:
        """Choose those of these albums in which at most `most_photos` are pending."""
        with self.database.reading() as connection:
            return set(connection.execute(outbox.select_small_albums(album_ids, most_photos)).scalars())

    def mark_dispatched(self, photo_ids: Sequence[UUID]) -> None:
        """Remember that photos were sent to the broker."""
        with self.database.writing_once() as connection:
            for statement in outbox.MARK_SENT[connection.dialect.name]:
                connection.execute(statement, {"photo_ids": photo_ids})

    def runway(self, redispatch_after_s: float) -> int:
        """Count the photos dispatched within the last `redispatch_after_s` seconds and not yet claimed."""
        with self.database.reading() as connection:
            return connection.execute(outbox.count_dispatched(redispatch_after_s)).scalar_one()

    def backlog(self) -> int:
        """Count the photos that are pending or leased."""
        with self.database.reading() as connection:
            return connection.execute(outbox.count_backlog()).scalar_one()

    def backlog_by_lane(self, interactive_photos: int) -> Backlog:
        """Count the photos that are pending or leased, by lane, and those finished within the last minute.

        Args:
            interactive_photos: an album with at most this many belongs to the interactive lane.
        """
        with self.database.reading() as connection:
            row = connection.execute(outbox.select_backlog(interactive_photos)).one()
        oldest_s = (row.now - row.oldest_due_at).total_seconds() if row.oldest_due_at else 0.0
        return Backlog(int(row.interactive_photos), int(row.index_photos), max(oldest_s, 0.0), row.finished)

    def superseded(self, limit: int) -> list[tuple[UUID, UUID, str]]:
        """List deleted photos whose points may still be in the gallery: (album id, photo id, store uri)."""
        with self.database.reading() as connection:
            return [(row.album_id, row.id, row.store_uri) for row in connection.execute(outbox.select_unpurged(limit))]

    def mark_purged(self, photo_ids: Collection[UUID]) -> None:
        """Remember that the points of deleted photos are gone.

        A photo that came back meanwhile may have lost its new points with the old ones: it is indexed once more.
        """
        with self.database.writing() as connection:
            for statement in outbox.mark_purged(photo_ids):
                connection.execute(statement)


def _values_after_crash(max_crashes: int) -> dict[str, Any]:
    is_dead = photo.c.crash_count + 1 >= max_crashes
    detail = f"workers died {max_crashes} times while they held it"
    return {
        "crash_count": photo.c.crash_count + 1,
        "state": sa.case((is_dead, PhotoState.DEAD.value), else_=PhotoState.PENDING.value),
        "reason": sa.case((is_dead, CrashedWorker.reason)),
        "detail": sa.case((is_dead, detail)),
        "finished_at": sa.case((is_dead, utc_now())),
        **_UNLEASED,
    }
