"""The chain of the audit log: each row's hash covers the hash of the row before it."""

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from facefleet.errors import InvalidRequest

_KEYED = "hmac-sha256:"
_UNKEYED = "sha256:"


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

    #: Rows that fit.
    rows: int = 0
    #: How many of them, at the beginning, no key protects: whoever has the database could have written all of those.
    unkeyed_rows: int = 0
    #: The last row that fits.
    head: AuditHead | None = None
    #: Where it breaks, and why; None: nowhere.
    broken_at: int | None = None
    why: str | None = None


def verify_chain(rows: Iterable[AuditRow], key: bytes, expected: AuditHead | None = None) -> Verified:
    """Look for the first row that does not fit.

    Args:
        rows: all of them, by sequence.
        key: that of the server; empty where it has none.
        expected: a row that is known to have been there.
    """
    found = Verified()
    for row in rows:
        why = _find_fault(row, found, key)
        if why is None and expected and row.sequence == expected.sequence and row.hash != expected.hash:
            why = "another row was there once: the log was written anew from here, or from an earlier row on"
        if why is not None:
            return Verified(found.rows, found.unkeyed_rows, found.head, found.rows + 1, why)
        unkeyed = found.unkeyed_rows + row.hash.startswith(_UNKEYED)
        found = Verified(row.sequence, unkeyed, AuditHead(row.sequence, row.hash))
    if expected and expected.sequence > found.rows:
        why = f"the log ends before row {expected.sequence}, which was there once"
        return Verified(found.rows, found.unkeyed_rows, found.head, found.rows + 1, why)
    return found


def _find_fault(row: AuditRow, before: Verified, key: bytes) -> str | None:
    if row.sequence != before.rows + 1:
        return "it is missing" if row.sequence > before.rows else f"row {row.sequence} was put in"
    if row.previous != (before.head.hash if before.head else ""):
        return "it does not follow the row before it"
    if is_keyed(row.hash):
        if not key:
            return "it was written with a key, and this process has none (FACEFLEET_AUDIT_SECRET)"
        return None if row.hash == hash_row(row, key) else "it was changed, or written with another key"
    if before.unkeyed_rows < before.rows:
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
