"""What Rekognition's operations need: names of images, dropped faces, users, tags, and answers given once."""

import sqlalchemy as sa
from alembic import op

from facefleet.ledger.clock import UtcTime

revision = "0005"
down_revision = "0002"
branch_labels = None
depends_on = None

_SORTED_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _belongs_to(table: str, column: str, name: str) -> sa.ForeignKey:
    return sa.ForeignKey(f"{table}.{column}", ondelete="CASCADE", name=name)


def upgrade() -> None:
    """Create the tables; what the columns mean is said in `collection_schema.py`."""
    op.create_table(
        "external_image",
        sa.Column("photo_id", sa.Uuid, _belongs_to("photo", "id", "fk_external_image_photo"), primary_key=True),
        sa.Column("external_id", sa.String(255), nullable=False),
    )
    op.create_table(
        "dropped_face",
        sa.Column("face_id", sa.Uuid, primary_key=True),
        sa.Column("photo_id", sa.Uuid, _belongs_to("photo", "id", "fk_dropped_face_photo"), nullable=False),
    )
    op.create_index("ix_dropped_face_photo", "dropped_face", ["photo_id"])
    op.create_table(
        "collection_user",
        sa.Column("album_id", sa.Uuid, _belongs_to("album", "id", "fk_collection_user_album"), primary_key=True),
        sa.Column("user_id", _SORTED_TEXT, primary_key=True),
        sa.Column("created_at", UtcTime, nullable=False),
    )
    op.create_table(
        "user_face",
        sa.Column("face_id", sa.Uuid, primary_key=True),
        sa.Column("album_id", sa.Uuid, nullable=False),
        sa.Column("user_id", _SORTED_TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["album_id", "user_id"],
            ["collection_user.album_id", "collection_user.user_id"],
            ondelete="CASCADE",
            name="fk_user_face_user",
        ),
    )
    op.create_index("ix_user_face_user", "user_face", ["album_id", "user_id"])
    op.create_table(
        "album_tag",
        sa.Column("album_id", sa.Uuid, _belongs_to("album", "id", "fk_album_tag_album"), primary_key=True),
        sa.Column("name", _SORTED_TEXT, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "client_token",
        sa.Column("album_id", sa.Uuid, _belongs_to("album", "id", "fk_client_token_album"), primary_key=True),
        sa.Column("token", _SORTED_TEXT, primary_key=True),
        sa.Column("request", sa.Uuid, nullable=False),
        sa.Column("answer", sa.JSON, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
    )
    op.create_index("ix_client_token_created", "client_token", ["created_at"])
    op.drop_index("ix_face_album", "face")
    op.create_index("ix_face_album", "face", ["album_id", "id"])
