"""Callbacks: messages to addresses of callers, kept until they were taken or given up."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa

from facefleet.ledger.clock import seconds_from_now, utc_now
from facefleet.ledger.collection_schema import callback
from facefleet.ledger.database import Database

#: How long the dead ones are shown.
_KEPT_S = 14 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Callback:
    """A message that is to be sent now."""

    id: UUID
    url: str
    body: str
    #: This attempt's number, from 1.
    attempt: int


@dataclass(frozen=True, slots=True)
class DeadCallback:
    """A message that nobody took."""

    id: UUID
    url: str
    created_at: datetime
    attempt: int
    #: Why, for a person.
    detail: str


@dataclass(frozen=True)
class Callbacks:
    """What the ledger knows about callbacks. A message is sent at least once."""

    database: Database

    def add(self, tenant: str, url: str, body: str) -> UUID:
        """Enter a message that is due at once; returns its id, which stays the same through all attempts."""
        callback_id = uuid4()
        row = {"id": callback_id, "tenant": tenant, "url": url, "body": body}
        with self.database.writing() as connection:
            connection.execute(callback.insert().values(row))
        return callback_id

    def claim(self, limit: int, lease_s: float) -> list[Callback]:
        """Take messages that are due; a sender that dies gives them back when the lease ends."""
        due = sa.select(callback.c.id).where(callback.c.dead_at.is_(None), callback.c.next_attempt_at <= utc_now())
        some = due.order_by(callback.c.next_attempt_at).limit(limit).with_for_update(skip_locked=True)
        taken = {"attempt": callback.c.attempt + 1, "next_attempt_at": seconds_from_now(lease_s)}
        columns = [callback.c[field] for field in Callback.__dataclass_fields__]
        with self.database.writing() as connection:
            claim = callback.update().where(callback.c.id.in_(some)).values(**taken).returning(*columns)
            return [Callback(*row) for row in connection.execute(claim)]

    def settle(self, callback_id: UUID) -> None:
        """Forget a message that was taken, with the templates in it."""
        with self.database.writing() as connection:
            connection.execute(callback.delete().where(callback.c.id == callback_id))

    def postpone(self, callback_id: UUID, delay_s: float, detail: str) -> None:
        """Have a message sent again later."""
        later = {"next_attempt_at": seconds_from_now(delay_s), "detail": detail}
        with self.database.writing() as connection:
            connection.execute(callback.update().where(callback.c.id == callback_id).values(**later))

    def bury(self, callback_id: UUID, detail: str) -> None:
        """Give a message up: its address and the reason stay for two weeks, its body with the templates goes now."""
        with self.database.writing() as connection:
            dead = callback.update().where(callback.c.id == callback_id)
            connection.execute(dead.values(dead_at=utc_now(), detail=detail, body=""))
            connection.execute(callback.delete().where(callback.c.dead_at <= seconds_from_now(-_KEPT_S)))

    def list_dead(self, tenant: str, limit: int) -> list[DeadCallback]:
        """List the messages that were given up within the last two weeks, newest first."""
        columns = [callback.c[field] for field in DeadCallback.__dataclass_fields__]
        dead = sa.select(*columns).where(callback.c.tenant == tenant, callback.c.dead_at.is_not(None))
        with self.database.reading() as connection:
            rows = connection.execute(dead.order_by(callback.c.dead_at.desc()).limit(limit))
            return [DeadCallback(*row) for row in rows]
