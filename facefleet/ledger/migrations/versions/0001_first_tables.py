"""The first tables: album, job, photo, job_photo, face."""

import sqlalchemy as sa
from alembic import op

from facefleet.ledger.clock import UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SORTED_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create every table; what the columns mean is said in `schema.py`."""
    _create_album()
    _create_job()
    _create_photo()
    _create_job_photo()
    _create_face()


def _create_album() -> None:
    op.create_table(
        "album",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("tenant", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("deleting_since", UtcTime),
    )
    _create_partial_index("uq_album_name", "album", ["tenant", "name"], "deleting_since IS NULL", unique=True)


def _create_job() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "album_id", sa.Uuid, sa.ForeignKey("album.id", ondelete="CASCADE", name="fk_job_album"), nullable=False
        ),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("detail", sa.Text),
        sa.Column("listing_until", UtcTime),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("listing_ended_at", UtcTime),
        sa.CheckConstraint("state IN ('listing', 'running', 'done', 'failed')", name="ck_job_state"),
    )
    op.create_index("ix_job_album", "job", ["album_id"])
    _create_partial_index("ix_job_listing", "job", ["created_at"], "state IN ('listing')")


def _create_photo() -> None:
    op.create_table(
        "photo",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "album_id", sa.Uuid, sa.ForeignKey("album.id", ondelete="CASCADE", name="fk_photo_album"), nullable=False
        ),
        sa.Column("job_id", sa.Uuid, sa.ForeignKey("job.id", ondelete="CASCADE", name="fk_photo_job"), nullable=False),
        sa.Column("source_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sort_name", _SORTED_TEXT, nullable=False),
        sa.Column("store_uri", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("model_version", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("crash_count", sa.Integer, nullable=False),
        sa.Column("lease_token", sa.Uuid),
        sa.Column("lease_until", UtcTime),
        sa.Column("next_attempt_at", UtcTime, nullable=False),
        sa.Column("dispatched_at", UtcTime),
        sa.Column("listed_at", UtcTime, nullable=False),
        sa.Column("finished_at", UtcTime),
        sa.Column("purged_at", UtcTime),
        sa.Column("reason", sa.String(64)),
        sa.Column("detail", sa.Text),
        sa.Column("face_count", sa.Integer),
        sa.Column("width_px", sa.Integer),
        sa.Column("height_px", sa.Integer),
        sa.CheckConstraint("state IN ('pending', 'leased', 'indexed', 'dead', 'deleted')", name="ck_photo_state"),
    )
    op.create_index("ix_photo_source", "photo", ["source_id"])
    op.create_index("ix_photo_sort_name", "photo", ["album_id", "sort_name", "id"])
    op.create_index("ix_photo_album_counts", "photo", ["album_id", "state", "face_count"])
    op.create_index("ix_photo_job_counts", "photo", ["job_id", "state", "face_count", "finished_at"])
    _create_partial_index("ix_photo_due", "photo", ["album_id", "next_attempt_at"], "state IN ('pending')")
    _create_partial_index("ix_photo_dispatched", "photo", ["dispatched_at"], "state IN ('pending')")
    _create_partial_index("ix_photo_leased", "photo", ["lease_until"], "state IN ('leased')")
    _create_partial_index("ix_photo_unpurged", "photo", ["purged_at"], "state IN ('deleted')")


def _create_job_photo() -> None:
    op.create_table(
        "job_photo",
        sa.Column(
            "job_id", sa.Uuid, sa.ForeignKey("job.id", ondelete="CASCADE", name="fk_job_photo_job"), primary_key=True
        ),
        sa.Column("photo_id", sa.Uuid, primary_key=True),
        sqlite_with_rowid=False,
    )


def _create_face() -> None:
    measures = ("detection_score", "overall", "size_px", "sharpness", "brightness", "yaw_deg", "pitch_deg", "roll_deg")
    op.create_table(
        "face",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "album_id", sa.Uuid, sa.ForeignKey("album.id", ondelete="CASCADE", name="fk_face_album"), nullable=False
        ),
        sa.Column(
            "photo_id", sa.Uuid, sa.ForeignKey("photo.id", ondelete="CASCADE", name="fk_face_photo"), nullable=False
        ),
        sa.Column("number", sa.Integer, nullable=False),
        *(sa.Column(coordinate, sa.Double, nullable=False) for coordinate in "xywh"),
        sa.Column("landmarks", sa.JSON, nullable=False),
        *(sa.Column(measure, sa.Double, nullable=False) for measure in measures),
    )
    op.create_index("ix_face_photo", "face", ["photo_id", "number"])
    op.create_index("ix_face_album", "face", ["album_id"])


def _create_partial_index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
