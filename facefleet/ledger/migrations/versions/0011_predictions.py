"""Predictions: what classifiers said about new faces, and which photos wait for that."""

import sqlalchemy as sa
from alembic import op

from facefleet.ledger.clock import UtcTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; what the columns mean is said in `prediction_schema.py`."""
    of_face = sa.ForeignKey("face.id", ondelete="CASCADE", name="fk_prediction_face")
    op.create_table(
        "prediction",
        sa.Column("face_id", sa.Uuid, of_face, primary_key=True),
        sa.Column("classifier", sa.String(16), primary_key=True),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("latency_ms", sa.Double, nullable=False),
        sa.Column("made_at", UtcTime, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "unpredicted_photo",
        sa.Column("photo_id", sa.Uuid, primary_key=True),
        sa.Column("album_id", sa.Uuid, nullable=False),
        sa.Column("stamp", sa.Uuid, nullable=False),
        sa.Column("entered_at", UtcTime, nullable=False),
        sa.Column("dispatched_at", UtcTime),
        sa.Column("not_before", UtcTime, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_unpredicted_photo_entered", "unpredicted_photo", ["entered_at"])
    op.create_index("ix_unpredicted_photo_album", "unpredicted_photo", ["album_id"])
