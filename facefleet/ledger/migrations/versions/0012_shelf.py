"""Model migration: shelved_photo, shelved_face, shelved_drop, model_switch."""

import sqlalchemy as sa
from alembic import op

from facefleet.ledger.clock import UtcTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_BOX = ("x", "y", "w", "h")
_SCORES = ("detection_score", "overall", "size_px", "sharpness", "brightness", "yaw_deg", "pitch_deg", "roll_deg")


def upgrade() -> None:
    """Create the tables; what the columns mean is said in `shelf_schema.py`."""
    op.create_table(
        "shelved_photo",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "album_id",
            sa.Uuid,
            sa.ForeignKey("album.id", ondelete="CASCADE", name="fk_shelved_photo_album"),
            nullable=False,
        ),
        sa.Column("counterpart_id", sa.Uuid, nullable=False),
        sa.Column("model_version", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("lease_token", sa.Uuid),
        sa.Column("lease_until", UtcTime),
        sa.Column("detail", sa.Text),
        sa.Column("face_count", sa.Integer),
        sa.Column("width_px", sa.Integer),
        sa.Column("height_px", sa.Integer),
    )
    counterpart = ["counterpart_id", "model_version"]
    op.create_index("uq_shelved_photo_counterpart", "shelved_photo", counterpart, unique=True)
    op.create_index("ix_shelved_photo_version", "shelved_photo", ["model_version", "state", "album_id"])
    _create_faces()
    op.create_table(
        "shelved_drop",
        sa.Column("face_id", sa.Uuid, primary_key=True),
        sa.Column(
            "photo_id",
            sa.Uuid,
            sa.ForeignKey("shelved_photo.id", ondelete="CASCADE", name="fk_shelved_drop_photo"),
            nullable=False,
        ),
    )
    op.create_index("ix_shelved_drop_photo", "shelved_drop", ["photo_id"])
    op.create_table(
        "model_switch",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("from_version", sa.String(64), nullable=False),
        sa.Column("from_pack", sa.Text, nullable=False),
        sa.Column("to_version", sa.String(64), nullable=False),
        sa.Column("to_pack", sa.Text, nullable=False),
        sa.Column("photos", sa.Integer, nullable=False),
        sa.Column("switched_at", UtcTime, nullable=False),
    )


def _create_faces() -> None:
    op.create_table(
        "shelved_face",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "album_id",
            sa.Uuid,
            sa.ForeignKey("album.id", ondelete="CASCADE", name="fk_shelved_face_album"),
            nullable=False,
        ),
        sa.Column(
            "photo_id",
            sa.Uuid,
            sa.ForeignKey("shelved_photo.id", ondelete="CASCADE", name="fk_shelved_face_photo"),
            nullable=False,
        ),
        sa.Column("counterpart_id", sa.Uuid),
        sa.Column("number", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in _BOX),
        sa.Column("landmarks", sa.JSON, nullable=False),
        *(sa.Column(name, sa.Double, nullable=False) for name in _SCORES),
    )
    op.create_index("ix_shelved_face_photo", "shelved_face", ["photo_id"])
    op.create_index("ix_shelved_face_counterpart", "shelved_face", ["counterpart_id"])
