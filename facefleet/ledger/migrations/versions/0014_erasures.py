"""Purges of people: unkept_place, doomed_face, and when a person was purged."""

import sqlalchemy as sa
from alembic import op

from facefleet.ledger.clock import UtcTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; what the columns mean is said in `erasure_schema.py` and `people_schema.py`."""
    op.add_column("person", sa.Column("purged_at", UtcTime))
    op.create_table(
        "unkept_place",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "album_id",
            sa.Uuid,
            sa.ForeignKey("album.id", ondelete="CASCADE", name="fk_unkept_place_album"),
            nullable=False,
        ),
        sa.Column("source_id", sa.Uuid, nullable=False),
        *(sa.Column(side, sa.Double, nullable=False) for side in "xywh"),
    )
    op.create_index("ix_unkept_place_source", "unkept_place", ["source_id"])
    op.create_index("ix_unkept_place_album", "unkept_place", ["album_id"])
    op.create_table(
        "doomed_face",
        sa.Column("face_id", sa.Uuid, primary_key=True),
        sa.Column("album_id", sa.Uuid, nullable=False),
        sa.Column("tenant", sa.String(255), nullable=False),
        sa.Column("person_id", sa.Uuid),
        sa.Column("photo_id", sa.Uuid, nullable=False),
        sa.Column("image_uri", sa.Text),
        sa.Column("entered_at", UtcTime, nullable=False),
    )
    op.create_index("ix_doomed_face_person", "doomed_face", ["person_id"])
    op.create_index("ix_doomed_face_photo", "doomed_face", ["photo_id"])
    op.create_index("ix_doomed_face_entered", "doomed_face", ["entered_at"])
