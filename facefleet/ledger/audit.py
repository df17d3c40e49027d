"""The audit log: who searched, deleted and handed out what. Rows are added, and go when they are old, never changed.

Whoever changes, removes or inserts a row breaks the chain from there on. With a key, which no store knows, nobody can
mend it who has the database alone. What no chain shows is that its last rows are gone: keep a head elsewhere
(`facefleet audit --verify` prints it, the dispatcher logs it every hour) and have `verify` look for it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import TypeAlias

import sqlalchemy as sa

from facefleet.errors import ConfigurationError
from facefleet.ledger.audit_chain import TRIMMED, AuditHead, AuditRow, Verified, hash_row, is_keyed, verify_chain
from facefleet.ledger.audit_schema import audit
from facefleet.ledger.clock import seconds_from_now, utc_now
from facefleet.ledger.database import CHUNK, Database
from facefleet.ledger.group_commit import GroupCommit
from facefleet.records import DEFAULT_TENANT

#: Any number that no other user of the same PostgreSQL database locks.
_APPEND_LOCK = 0xFACEA0D17
#: Who searches waits no longer than this for a database that somebody else writes to.
_PATIENCE_S = 10.0
_DAY_S = 24 * 3600.0
#: Rows that are removed in one transaction: others write in between.
_TRIMMED_AT_ONCE = 10_000
#: `who` of what Facefleet does by itself.
BY_ITSELF = "facefleet"

Outcome: TypeAlias = Mapping[str, int | str]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something that was done. No image, template, name or secret: the log outlives what it tells of."""

    #: Id of a key, `local` where keys are off, or `BY_ITSELF`.
    who: str
    tenant: str
    #: A snake_case word.
    action: str
    #: Id of what it was done to.
    object_id: str
    outcome: Outcome = field(default_factory=dict)


#: Built once: every search writes a row.
_NEWEST = sa.select(audit.c.sequence, audit.c.hash).order_by(audit.c.sequence.desc()).limit(1).subquery()
_SELECT_HEAD = sa.select(utc_now(), _NEWEST.c.sequence, _NEWEST.c.hash).select_from(
    sa.select(sa.literal(1)).subquery().outerjoin(_NEWEST, sa.true())
)
_INSERT = audit.insert()
_LOCK_APPENDING = sa.select(sa.func.pg_advisory_xact_lock(_APPEND_LOCK))


class Audit:
    """The log of one ledger: one chain for all processes, which take turns. Safe to share between threads."""

    def __init__(self, database: Database, key: bytes = b"") -> None:
        """Work on a database.

        Args:
            database: the ledger's.
            key: keys the hashes; empty: anybody can compute them.
        """
        self._database = database
        self._key = key
        self._commits = GroupCommit(self._write)

    def append(self, entry: AuditEntry) -> None:
        """Write an entry; it is committed when this returns.

        Raises:
            LedgerUnavailable: it cannot be written now.
            ConfigurationError: the log has a key, and this process does not.
        """
        self._commits.submit(entry, _PATIENCE_S)

    def append_within(self, connection: sa.Connection, *entries: AuditEntry) -> None:
        """Write entries as the last step of a transaction: other processes wait for its end.

        Raises:
            ConfigurationError: the log has a key, and this process does not.
        """
        _take_turn(connection)
        now, sequence, newest_hash = connection.execute(_SELECT_HEAD).one()
        if newest_hash and is_keyed(newest_hash) and not self._key:
            raise ConfigurationError(
                "the audit log is written with a key that this process does not have: give it FACEFLEET_AUDIT_SECRET"
            )
        at = now.replace(microsecond=now.microsecond // 1000 * 1000)
        head, rows = AuditHead(sequence or 0, newest_hash or ""), []
        for entry in entries:
            row = _row_of(entry, at, head, self._key)
            head = AuditHead(row.sequence, row.hash)
            rows.append({name: getattr(row, name) for name in AuditRow.__slots__})
        connection.execute(_INSERT, rows)

    def trim(self, days: int) -> int:
        """Remove some of the oldest rows; returns how many, 0 when none is older than so many days.

        The row that tells of it is written with that. It is younger, so that there is always one.

        Raises:
            ConfigurationError: the log has a key, and this process does not.
        """
        is_old = (audit.c.at < seconds_from_now(-days * _DAY_S)).label("is_old")
        oldest = sa.select(audit.c.sequence, audit.c.hash, is_old).order_by(audit.c.sequence).limit(_TRIMMED_AT_ONCE)
        with self._database.writing() as connection:
            _take_turn(connection)
            old = list(takewhile(lambda row: row.is_old, connection.execute(oldest)))
            if old:
                last, said = old[-1], {"rows": len(old), "hash": old[-1].hash}
                self.append_within(connection, AuditEntry(BY_ITSELF, DEFAULT_TENANT, TRIMMED, str(last.sequence), said))
                connection.execute(audit.delete().where(audit.c.sequence <= last.sequence))
        return len(old)

    def page(self, limit: int, before: int | None = None, object_ids: Sequence[str] | None = None) -> list[AuditRow]:
        """List one page, newest first.

        Args:
            limit: at most this many.
            before: only rows of a smaller sequence.
            object_ids: only rows about these.
        """
        wanted = sa.select(audit).order_by(audit.c.sequence.desc()).limit(limit)
        if before is not None:
            wanted = wanted.where(audit.c.sequence < before)
        if object_ids is not None:
            wanted = wanted.where(audit.c.object_id.in_(object_ids))
        with self._database.reading() as connection:
            return [AuditRow(*row) for row in connection.execute(wanted)]

    def verify(self, expected: AuditHead | None = None) -> Verified:
        """Read the whole log, and stop at the first row that does not fit.

        Args:
            expected: a row that is known to have been there.
        """
        with self._database.snapshot() as connection:  # else rows that are removed meanwhile would be missing
            return verify_chain(_walk(connection), self._key, expected)

    def _write(self, entries: Sequence[AuditEntry]) -> None:
        with self._database.writing() as connection:
            self.append_within(connection, *entries)


def _walk(connection: sa.Connection) -> Iterator[AuditRow]:
    with connection.execute(sa.select(audit).order_by(audit.c.sequence).execution_options(yield_per=CHUNK)) as rows:
        yield from (AuditRow(*row) for row in rows)


def _take_turn(connection: sa.Connection) -> None:
    """Keep others from adding rows until the transaction ends; in SQLite it does that anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK_APPENDING)


def _row_of(entry: AuditEntry, at: datetime, head: AuditHead, key: bytes) -> AuditRow:
    outcome = json.dumps(dict(entry.outcome), separators=(",", ":"), sort_keys=True)
    place = (head.sequence + 1, at, entry.who, entry.tenant, entry.action, entry.object_id, outcome, head.hash)
    return AuditRow(*place, hash=hash_row(AuditRow(*place, hash=""), key))
