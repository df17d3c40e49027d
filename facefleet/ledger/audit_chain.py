"""The chain of the audit log: each row's hash covers the hash of the row before it.

Old rows may be removed from its beginning. A row that was added with that names the last of them and its hash, so that
whoever removes others is found out as before.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from facefleet.errors import InvalidRequest

_KEYED = "hmac-sha256:"
_UNKEYED = "sha256:"
#: The action of a row that tells of removed ones: its object is the sequence of the last of them.
TRIMMED = "audit_trimmed"


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry in the log."""

    sequence: int
    at: datetime
    who: str
    tenant: str
    action: str
    object_id: str
    #: A JSON object.
    outcome: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class AuditHead:
    """Names a row, and so all rows before it."""

    sequence: int
    hash: str

    def __str__(self) -> str:
        """Write it as `parse_head` reads it."""
        return f"{self.sequence}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of reading a chain to its end, or to the first row that does not fit."""

    #: Sequence of the last row that fits.
    rows: int = 0
    #: How many, at the beginning, no key protects: whoever has the database could have written all of those.
    unkeyed_rows: int = 0
    #: The last row that fits.
    head: AuditHead | None = None
    #: The last of the rows that were removed, as a later one says.
    removed: AuditHead | None = None
    #: Where it breaks, and why; None: nowhere.
    broken_at: int | None = None
    why: str | None = None


def verify_chain(rows: Iterable[AuditRow], key: bytes, expected: AuditHead | None = None) -> Verified:
    """Look for the first row that does not fit.

    Args:
        rows: all of them, by sequence.
        key: that of the server; empty where it has none.
        expected: a row that is known to have been there.

    Raises:
        InvalidRequest: the expected row was removed, and others behind it.
    """
    found, is_said = Verified(), True
    for row in rows:
        if not found.rows and row.sequence > 1:
            removed = AuditHead(row.sequence - 1, row.previous)
            found, is_said = Verified(removed.sequence, head=removed, removed=removed), False
        before, this = AuditHead(row.sequence - 1, row.previous), AuditHead(row.sequence, row.hash)
        why = _find_fault(row, found, key) or _find_other(before, expected) or _find_other(this, expected)
        if why is not None:
            return replace(found, broken_at=found.rows + 1, why=why)
        is_said = is_said or _tells_of(row, found.removed)
        unkeyed = found.unkeyed_rows + row.hash.startswith(_UNKEYED)
        found = replace(found, rows=row.sequence, unkeyed_rows=unkeyed, head=AuditHead(row.sequence, row.hash))
    if not is_said:
        return Verified(broken_at=1, why="it is missing, and no row says that it was removed for its age")
    _require_left(expected, found.removed)
    if expected and expected.sequence > found.rows:
        why = f"the log ends before row {expected.sequence}, which was there once"
        return replace(found, broken_at=found.rows + 1, why=why)
    return found


def _require_left(expected: AuditHead | None, removed: AuditHead | None) -> None:
    if expected and removed and expected.sequence < removed.sequence:
        raise InvalidRequest(
            f"row {expected.sequence} was removed for its age: the log begins with row {removed.sequence + 1}; "
            "expect a later one"
        )


def _find_other(head: AuditHead, expected: AuditHead | None) -> str | None:
    if expected and head.sequence == expected.sequence and head.hash != expected.hash:
        return "another row was there once: the log was written anew from here, or from an earlier row on"
    return None


def _tells_of(row: AuditRow, removed: AuditHead | None) -> bool:
    """Whether a row says that these were removed; no more is read of it, as anybody may have written an unkeyed one."""
    if row.action != TRIMMED or removed is None:
        return False
    return row.object_id == str(removed.sequence) and f'"hash":"{removed.hash}"' in row.outcome


def _find_fault(row: AuditRow, before: Verified, key: bytes) -> str | None:
    if row.sequence != before.rows + 1:
        return "it is missing" if row.sequence > before.rows else f"row {row.sequence} was put in"
    if row.previous != (before.head.hash if before.head else ""):
        return "it does not follow the row before it"
    if is_keyed(row.hash):
        if not key:
            return "it was written with a key, and this process has none (FACEFLEET_AUDIT_SECRET)"
        return None if row.hash == hash_row(row, key) else "it was changed, or written with another key"
    if before.head and is_keyed(before.head.hash):
        return "it was written without the key of the rows before it"
    return None if row.hash == hash_row(row, b"") else "it was changed"


def is_keyed(row_hash: str) -> bool:
    """Tell whether a key was needed to write a row."""
    return row_hash.startswith(_KEYED)


def hash_row(row: AuditRow, key: bytes) -> str:
    """Hash all of a row but its hash.

    SHA-256, or HMAC-SHA256 with a key, over a JSON array in ASCII without spaces: sequence, milliseconds since 1970,
    who, tenant, action, object id, outcome (as text) and the hash of the row before.
    """
    at_ms = round(row.at.timestamp() * 1000)
    said = [row.sequence, at_ms, row.who, row.tenant, row.action, row.object_id, row.outcome, row.previous]
    message = json.dumps(said, separators=(",", ":")).encode()
    if key:
        return f"{_KEYED}{hmac.new(key, message, hashlib.sha256).hexdigest()}"
    return f"{_UNKEYED}{hashlib.sha256(message).hexdigest()}"


def parse_head(text: str) -> AuditHead:
    """Read what `AuditHead` writes.

    Raises:
        InvalidRequest: it is nothing of the kind.
    """
    sequence, _, digest = text.partition(":")
    if not sequence.isdecimal() or not digest:
        raise InvalidRequest(f"not a row of the log, like 17:sha256:0a...: {text!r}")
    return AuditHead(int(sequence), digest)
