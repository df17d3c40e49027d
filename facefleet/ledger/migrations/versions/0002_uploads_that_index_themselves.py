"""What bucket notifications and lanes need: urgent_photo, object_event, ingest_dead, and when photos were finished."""

import sqlalchemy as sa
from alembic import op

from facefleet.ledger.clock import UtcTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SORTED_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables; what the columns mean is said in `schema.py`."""
    op.create_table("urgent_photo", sa.Column("photo_id", sa.Uuid, primary_key=True), sqlite_with_rowid=False)
    op.create_table(
        "object_event",
        sa.Column("object_id", sa.Uuid, primary_key=True),
        sa.Column("sequencer", _SORTED_TEXT, nullable=False),
        sa.Column("seen_at", UtcTime, nullable=False),
    )
    op.create_index("ix_object_event_seen", "object_event", ["seen_at"])
    op.create_table(
        "ingest_dead",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("received_at", UtcTime, nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_ingest_dead_received", "ingest_dead", ["received_at", "id"])
    op.create_index("ix_photo_finished", "photo", ["finished_at"])
