"""Messages to addresses of callers: callback."""

import sqlalchemy as sa
from alembic import op

from facefleet.ledger.clock import UtcTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; what the columns mean is said in `collection_schema.py`."""
    op.create_table(
        "callback",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("tenant", sa.String(255), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", UtcTime, nullable=False),
        sa.Column("dead_at", UtcTime),
        sa.Column("detail", sa.Text),
    )
    op.create_index("ix_callback_due", "callback", ["dead_at", "next_attempt_at"])
