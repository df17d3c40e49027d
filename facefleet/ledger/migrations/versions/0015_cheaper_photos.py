"""What every photo and face pays for when it is written: an index of finished photos alone, one foreign key less."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index anew; `schema.py` says why PostgreSQL does without the key."""
    is_finished = sa.text("finished_at IS NOT NULL")
    op.drop_index("ix_photo_finished", "photo")
    op.create_index(
        "ix_photo_finished", "photo", ["finished_at"], sqlite_where=is_finished, postgresql_where=is_finished
    )
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("fk_face_album", "face")
