"""API keys in the ledger: their hashes, and whether they still count."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from facefleet.errors import InvalidRequest
from facefleet.identity.api_key import ApiKey, DrawnKey
from facefleet.identity.caller import Scope
from facefleet.ledger.audit import Audit, AuditEntry
from facefleet.ledger.clock import seconds_from_now, utc_now
from facefleet.ledger.database import Database
from facefleet.ledger.key_schema import api_key

#: How exactly the last use is known: no request writes more often.
_USE_NOTED_EVERY_S = 60.0
_TENANT = re.compile(r"[A-Za-z0-9_.-]{1,255}")


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """What a new key is for."""

    tenant: str
    label: str
    scopes: Collection[Scope]
    #: Names of the only albums it sees; None: all of its tenant.
    albums: Collection[str] | None = None
    #: None: never expires.
    expires_in_s: float | None = None


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that the ledger found, and what it says about it now."""

    key: ApiKey
    secret_hash: str
    #: Neither revoked nor expired.
    counts: bool
    #: Whether its use is to be noted.
    use_is_news: bool


@dataclass(frozen=True)
class Keys:
    """What the ledger knows about API keys. Whoever makes or ends one is in the audit log as `local`."""

    database: Database
    audit: Audit

    def add(self, drawn: DrawnKey, grant: KeyGrant) -> ApiKey:
        """Enter a new key; its text is not kept."""
        with self.database.writing() as connection:
            key = _add(connection, drawn, grant)
            self._note(connection, "key_created", key)
            return key

    def find(self, key_id: str) -> KnownKey | None:
        """Look a key up, dead ones too; None where there was never one."""
        with self.database.reading() as connection:
            row = connection.execute(_FIND, {"key_id": key_id}).one_or_none()
        if row is None:
            return None
        return KnownKey(_key_of(row), row.secret_hash, bool(row.counts), bool(row.use_is_news))

    def list(self, tenant: str | None = None) -> list[ApiKey]:
        """List the keys of one tenant or of all, dead ones too, by tenant and age."""
        wanted = sa.select(api_key).order_by(api_key.c.tenant, api_key.c.created_at, api_key.c.id)
        if tenant is not None:
            wanted = wanted.where(api_key.c.tenant == tenant)
        with self.database.reading() as connection:
            return [_key_of(row) for row in connection.execute(wanted)]

    def revoke(self, key_id: str) -> ApiKey:
        """End a key now and for good. Twice is once.

        Raises:
            InvalidRequest: there is no such key.
        """
        ended = sa.func.coalesce(api_key.c.revoked_at, utc_now())
        revoke = api_key.update().where(api_key.c.id == key_id).values(revoked_at=ended)
        with self.database.writing() as connection:
            connection.execute(revoke)
            key = _require(connection, key_id)
            self._note(connection, "key_revoked", key)
            return key

    def rotate(self, key_id: str, drawn: DrawnKey, overlap_s: float) -> ApiKey:
        """Enter a new key for the same as an old one, which counts for a while yet.

        Args:
            key_id: the old one.
            drawn: the new one; it lives as long from now as the old one was given.
            overlap_s: when the old one expires, unless it does so earlier.

        Raises:
            InvalidRequest: the old key is unknown, revoked or expired.
        """
        ends = seconds_from_now(overlap_s)
        with self.database.writing() as connection:
            old = _require(connection, key_id)
            if not connection.execute(_FIND, {"key_id": key_id}).one().counts:
                raise InvalidRequest(f"the key {key_id} is revoked or has expired: create a new one")
            lifetime_s = (old.expires_at - old.created_at).total_seconds() if old.expires_at else None
            sooner = sa.case((api_key.c.expires_at <= ends, api_key.c.expires_at), else_=ends)
            connection.execute(api_key.update().where(api_key.c.id == key_id).values(expires_at=sooner))
            key = _add(connection, drawn, KeyGrant(old.tenant, old.label, old.scopes, old.albums, lifetime_s))
            self._note(connection, "key_rotated", key, replaces=key_id)
            return key

    def _note(self, connection: sa.Connection, action: str, key: ApiKey, **more: str) -> None:
        outcome = {"scopes": ",".join(sorted(key.scopes)), **more}
        self.audit.append_within(connection, AuditEntry("local", key.tenant, action, key.id, outcome))

    def note_use(self, key_id: str) -> None:
        """Remember that a key was used just now."""
        with self.database.writing() as connection:
            connection.execute(api_key.update().where(api_key.c.id == key_id).values(last_used_at=utc_now()))


def check_tenant(tenant: str) -> None:
    """Refuse a name that could be mistaken for another, or break a line of a log.

    Raises:
        InvalidRequest: what a tenant's name is made of.
    """
    if not _TENANT.fullmatch(tenant):
        raise InvalidRequest(f"a tenant's name is 1-255 of A-Z a-z 0-9 _ . -, not {tenant!r}")


def _build_find() -> sa.Select[Any]:
    has_expired = sa.func.coalesce(api_key.c.expires_at <= utc_now(), sa.false())
    counts = sa.and_(api_key.c.revoked_at.is_(None), sa.not_(has_expired))
    use_is_news = sa.func.coalesce(api_key.c.last_used_at <= seconds_from_now(-_USE_NOTED_EVERY_S), sa.true())
    known = sa.select(api_key, counts.label("counts"), use_is_news.label("use_is_news"))
    return known.where(api_key.c.id == sa.bindparam("key_id"))


#: Built once: every request asks it.
_FIND = _build_find()


def _add(connection: sa.Connection, drawn: DrawnKey, grant: KeyGrant) -> ApiKey:
    new = api_key.insert().values(
        id=drawn.id,
        tenant=grant.tenant,
        label=grant.label,
        secret_hash=drawn.secret_hash,
        scopes=sorted(grant.scopes),
        albums=None if grant.albums is None else sorted(grant.albums),
        expires_at=None if grant.expires_in_s is None else seconds_from_now(grant.expires_in_s),
    )
    connection.execute(new)
    return _require(connection, drawn.id)


def _require(connection: sa.Connection, key_id: str) -> ApiKey:
    row = connection.execute(sa.select(api_key).where(api_key.c.id == key_id)).one_or_none()
    if row is None:
        raise InvalidRequest(f"there is no key {key_id}")
    return _key_of(row)


def _key_of(row: sa.Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        tenant=row.tenant,
        label=row.label,
        scopes=frozenset(map(Scope, row.scopes)),
        albums=None if row.albums is None else frozenset(row.albums),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
