"""API keys: an id that may be shown, and a secret of which only the hash is kept.

`FFK` and 17 characters more are the id, then `_` and 64 hexadecimal digits of the secret. The id alone is also that of
an AWS access key.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from facefleet.identity.caller import Caller, Scope

_ID_PREFIX = "FFK"
_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_ID_DRAWN = 17
_SECRET_BYTES = 32
_KEY = re.compile(rf"({_ID_PREFIX}[A-Z2-7]{{{_ID_DRAWN}}})_[0-9a-f]{{{2 * _SECRET_BYTES}}}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as the ledger knows it: nothing in it is secret."""

    id: str
    tenant: str
    #: What a person calls it.
    label: str
    scopes: frozenset[Scope]
    #: Names of the only albums it sees; None: all of its tenant.
    albums: frozenset[str] | None
    created_at: datetime
    #: None: never.
    expires_at: datetime | None
    revoked_at: datetime | None
    #: To the minute.
    last_used_at: datetime | None

    @property
    def caller(self) -> Caller:
        """Whoever shows this key."""
        return Caller(self.tenant, self.scopes, self.albums, self.id)


@dataclass(frozen=True, slots=True)
class DrawnKey:
    """A new key; its text is shown once and nowhere kept."""

    id: str
    text: str
    secret_hash: str


def draw_key() -> DrawnKey:
    """Draw a key of 256 random bits, with an id of 85."""
    key_id = _ID_PREFIX + "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_DRAWN))
    text = f"{key_id}_{secrets.token_hex(_SECRET_BYTES)}"
    return DrawnKey(key_id, text, hash_key(text))


def id_of_key(text: str) -> str | None:
    """Read the id out of a key's text; None where the text is no key."""
    match = _KEY.fullmatch(text)
    return match[1] if match else None


def hash_key(text: str) -> str:
    """Hash a key; its 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(text.encode()).hexdigest()


def is_key(text: str, secret_hash: str) -> bool:
    """Compare a key's text with a stored hash, in a time that says nothing about either."""
    return hmac.compare_digest(hash_key(text), secret_hash)
