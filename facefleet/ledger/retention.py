"""Retention: albums that are forgotten when nobody searches them for some days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.ledger.audit import Audit, AuditEntry
from facefleet.ledger.audit_schema import audit
from facefleet.ledger.clock import utc_now
from facefleet.ledger.database import Database
from facefleet.ledger.schema import album
from facefleet.records import Album

_COLUMNS = [album.c[field] for field in Album.__dataclass_fields__]


@dataclass(frozen=True)
class Retention:
    """What the ledger knows about how long albums are kept. The audit log says when one was searched last."""

    database: Database
    audit: Audit

    def set(self, album_id: UUID, days: int | None, who: str) -> None:
        """Say after how many days without a search an album is forgotten; they are counted from now on.

        Args:
            album_id: the album.
            days: 1 or more; None: it is kept.
            who: for the audit log.
        """
        change = album.update().where(album.c.id == album_id, album.c.deleting_since.is_(None))
        change = change.values(forget_after_days=days, retention_since=utc_now()).returning(album.c.tenant)
        with self.database.writing() as connection:
            tenant = connection.execute(change).scalar_one_or_none()
            if tenant is not None:
                entry = AuditEntry(who, tenant, "retention_set", str(album_id), {"days": days or 0})
                self.audit.append_within(connection, entry)

    def due(self) -> list[Album]:
        """List the albums that are to be forgotten now, by the database's clock."""
        limited = sa.select(*_COLUMNS, album.c.retention_since, utc_now().label("now"))
        limited = limited.where(album.c.forget_after_days.is_not(None), album.c.deleting_since.is_(None))
        with self.database.reading() as connection:
            rows: Sequence[Any] = connection.execute(limited).all()
            return [
                Album(*row[: len(_COLUMNS)])
                for row in rows
                if _is_over(row, row.retention_since)
                and _is_over(row, _find_last_search(connection, row.id) or row.retention_since)
            ]

    def trim_log(self, days: int) -> int:
        """Remove some of what is older than so many days from the audit log; returns how many rows, 0 at its end.

        When an album was searched last is kept with the album: it would be forgotten too early otherwise.
        """
        limited = sa.select(album.c.id).where(album.c.forget_after_days.is_not(None))
        with self.database.writing() as connection:
            for album_id in connection.execute(limited).scalars().all():
                if searched_at := _find_last_search(connection, album_id):
                    earlier = sa.and_(album.c.id == album_id, album.c.retention_since < searched_at)
                    connection.execute(album.update().where(earlier).values(retention_since=searched_at))
        return self.audit.trim(days)


def _is_over(row: sa.Row[Any], since: datetime) -> bool:
    return bool(since + timedelta(days=row.forget_after_days) <= row.now)


def _find_last_search(connection: sa.Connection, album_id: UUID) -> datetime | None:
    searches = sa.select(sa.func.max(audit.c.at)).where(audit.c.object_id == str(album_id), audit.c.action == "search")
    found: datetime | None = connection.execute(searches).scalar_one()
    return found
