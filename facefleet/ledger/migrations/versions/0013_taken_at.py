"""When a photo was taken, so that somebody's photos can be seen over time."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what it means is said in `schema.py`."""
    op.add_column("photo", sa.Column("taken_at", sa.DateTime))
