"""Retention: when an album that nobody searches is forgotten."""

import sqlalchemy as sa
from alembic import op

from facefleet.ledger.clock import UtcTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what they mean is said in `schema.py`."""
    op.add_column("album", sa.Column("forget_after_days", sa.Integer))
    op.add_column("album", sa.Column("retention_since", UtcTime))
