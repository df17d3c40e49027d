"""The table of API keys."""

import sqlalchemy as sa

from facefleet.ledger.clock import UtcTime, utc_now
from facefleet.ledger.schema import metadata

api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("id", sa.String(20), primary_key=True),
    sa.Column("tenant", sa.String(255), nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    #: SHA-256 of the key's text, in hexadecimal digits: the text itself is nowhere.
    sa.Column("secret_hash", sa.String(64), nullable=False),
    #: A list of scopes.
    sa.Column("scopes", sa.JSON, nullable=False),
    #: A list of album names; null: all of the tenant.
    sa.Column("albums", sa.JSON(none_as_null=True)),
    sa.Column("created_at", UtcTime, nullable=False, default=utc_now()),
    sa.Column("expires_at", UtcTime),
    sa.Column("revoked_at", UtcTime),
    sa.Column("last_used_at", UtcTime),
)
sa.Index("ix_api_key_tenant", api_key.c.tenant, api_key.c.created_at)
