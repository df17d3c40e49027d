"""Bucket notifications in the ledger: each message is one transaction, and older events change nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus
from uuid import UUID, uuid5

import sqlalchemy as sa

from facefleet.errors import InvalidRequest
from facefleet.ledger.albums import ensure_album, find_named
from facefleet.ledger.clock import UtcTime, seconds_from_now, utc_now
from facefleet.ledger.database import Database, insert_into, insert_or_ignore
from facefleet.ledger.jobs import ensure_job, hold_album
from facefleet.ledger.listing import delete_source, list_photos, source_id_of
from facefleet.ledger.schema import ingest_dead, object_event
from facefleet.records import DEFAULT_TENANT, ID_NAMESPACE, DeadEvent, ObjectEvent, PhotoRef, RejectedEvent

#: `source` of the one job of an album that indexes what buckets tell of.
EVENTS_SOURCE = "events:"
#: Buckets are the operator's: whose albums their photos go to.
EVENTS_TENANT = DEFAULT_TENANT
#: SQS keeps a message for 14 days at most: no older event arrives.
_KEPT_S = 14 * 24 * 3600.0


@dataclass(frozen=True)
class Ingest:
    """What S3 servers said happened."""

    database: Database

    def apply(self, events: Sequence[ObjectEvent], rejected: Sequence[RejectedEvent], model_version: str) -> int:
        """Enter what one message says, all of it or nothing. Twice is once.

        Albums are created on first sight. The photos of an album's events belong to one job, with source `events:`.

        Args:
            events: in any order; one that is older than what is known of its object is passed over.
            rejected: kept for `list_dead`.
            model_version: what new photos are to be recognized with.

        Returns:
            How many photos are pending because of this call.

        Raises:
            AlbumNotFound: the album was deleted at this moment; once more makes a new one.
        """
        with self.database.writing() as connection:
            for each in rejected:
                _keep_rejected(connection, each)
            # Sorted, so that two pollers wait for each other instead of deadlocking.
            in_order = sorted(events, key=lambda event: (event.uri, event.sequencer))
            newest = (event for event in in_order if _is_newest(connection, event))
            return sum(_apply_one(connection, event, model_version) for event in newest)

    def enter(self, album_id: UUID, model_version: str, refs: Sequence[PhotoRef]) -> int:
        """Enter photos that a listing showed, as if events had told of them.

        Args:
            album_id: whose photos.
            model_version: what new photos are to be recognized with.
            refs: at most a thousand.

        Returns:
            How many are pending because of this call.

        Raises:
            AlbumNotFound: the album is gone.
        """
        with self.database.writing() as connection:
            return _enter(connection, album_id, model_version, refs)

    def list_dead(self, limit: int, after: UUID | None = None) -> list[DeadEvent]:
        """List one page of the rejected events, newest first; kept for 14 days.

        Args:
            limit: at most this many.
            after: id of the last one of the page before.

        Raises:
            InvalidRequest: `after` is no rejected event (any more).
        """
        statement = sa.select(*(ingest_dead.c[field] for field in DeadEvent.__dataclass_fields__))
        keys = sa.tuple_(ingest_dead.c.received_at, ingest_dead.c.id)
        with self.database.reading() as connection:
            if after is not None:
                of_last = sa.select(ingest_dead.c.received_at).where(ingest_dead.c.id == after)
                received_at = connection.execute(of_last).scalar_one_or_none()
                if received_at is None:
                    raise InvalidRequest(f"{after} is no rejected event (any more); begin at the first page")
                last = sa.tuple_(sa.literal(received_at, UtcTime()), sa.literal(after, sa.Uuid))
                statement = statement.where(keys < last)
            page = statement.order_by(ingest_dead.c.received_at.desc(), ingest_dead.c.id.desc()).limit(limit)
            return [DeadEvent(*row) for row in connection.execute(page)]

    def forget_dead_of(self, album_name: str) -> None:
        """Remove rejected events that name an album, in whatever way a key or JSON spells it."""
        spelled = {album_name, quote(album_name), quote_plus(album_name), json.dumps(album_name)[1:-1]}
        names_it = sa.or_(*(ingest_dead.c.body.contains(each, autoescape=True) for each in spelled))
        with self.database.writing() as connection:
            connection.execute(ingest_dead.delete().where(names_it))

    def forget_dead(self) -> None:
        """Remove all rejected events."""
        with self.database.writing() as connection:
            connection.execute(ingest_dead.delete())

    def forget_old(self) -> None:
        """Forget the order of events so old that none before them can arrive any more, and old rejected ones."""
        with self.database.writing() as connection:
            for moment in (object_event.c.seen_at, ingest_dead.c.received_at):
                connection.execute(moment.table.delete().where(moment < seconds_from_now(-_KEPT_S)))


def _keep_rejected(connection: sa.Connection, rejected: RejectedEvent) -> None:
    dead_id = uuid5(ID_NAMESPACE, f"{rejected.reason}\x00{rejected.body}")
    row = {"id": dead_id, "reason": rejected.reason, "detail": rejected.detail, "body": rejected.body}
    connection.execute(insert_or_ignore(connection, ingest_dead).values(row))


def _is_newest(connection: sa.Connection, event: ObjectEvent) -> bool:
    """Remember the event unless a newer one of its object is known; the row is locked until the transaction ends."""
    row = {"object_id": uuid5(ID_NAMESPACE, event.uri), "sequencer": event.sequencer}
    insert = insert_into(connection, object_event).values(row)
    remember: Any = insert.on_conflict_do_update(
        index_elements=[object_event.c.object_id],
        set_={"sequencer": insert.excluded.sequencer, "seen_at": utc_now()},
        where=object_event.c.sequencer <= insert.excluded.sequencer,
    )
    return connection.execute(remember.returning(object_event.c.object_id)).one_or_none() is not None


def _apply_one(connection: sa.Connection, event: ObjectEvent, model_version: str) -> int:
    if event.created is None:
        album = find_named(connection, event.album_name, EVENTS_TENANT).one_or_none()
        if album is not None:
            delete_source(connection, source_id_of(album.id, event.uri))
        return 0
    album_id = ensure_album(connection, event.album_name, EVENTS_TENANT).id
    return _enter(connection, album_id, model_version, [event.created])


def _enter(connection: sa.Connection, album_id: UUID, model_version: str, refs: Sequence[PhotoRef]) -> int:
    hold_album(connection, album_id)
    job_id = ensure_job(connection, album_id, EVENTS_SOURCE)
    return list_photos(connection, job_id, album_id, model_version, refs)
