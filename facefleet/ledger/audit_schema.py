"""The table of the audit log."""

import sqlalchemy as sa

from facefleet.ledger.clock import UtcTime
from facefleet.ledger.schema import metadata

#: Rows are added, never changed. No foreign key: a row outlives what it tells of.
audit = sa.Table(
    "audit",
    metadata,
    #: Counts from 1 without a gap.
    sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    #: By the database's clock, in whole milliseconds.
    sa.Column("at", UtcTime, nullable=False),
    #: Id of the key, `local` where keys are off, or `facefleet` for what it does by itself.
    sa.Column("who", sa.String(255), nullable=False),
    sa.Column("tenant", sa.String(255), nullable=False),
    #: What was done: a snake_case word.
    sa.Column("action", sa.String(64), nullable=False),
    #: Id of the album, job or key that it was done to; never a name.
    sa.Column("object_id", sa.String(255), nullable=False),
    #: A JSON object of counts and words, as it was hashed.
    sa.Column("outcome", sa.Text, nullable=False),
    #: `hash` of the row before; empty in the first.
    sa.Column("previous", sa.String(80), nullable=False),
    #: `sha256:` or `hmac-sha256:` and 64 hexadecimal digits; see `audit.hash_row`.
    sa.Column("hash", sa.String(80), nullable=False),
)
sa.Index("ix_audit_object", audit.c.object_id, audit.c.action, audit.c.at)
