"""People: persons, whose faces are whose, decisions with their history, and how far the grouping of albums is."""

import sqlalchemy as sa
from alembic import op

from facefleet.ledger.clock import UtcTime, fresh_token, utc_now

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; what the columns mean is said in `people_schema.py`. What is indexed already is to be seen."""
    _create_people()
    _create_history()
    _create_grouping()
    _mark_unseen()


def _belongs_to(table: str, name: str, ondelete: str = "CASCADE") -> sa.ForeignKey:
    return sa.ForeignKey(f"{table}.id", ondelete=ondelete, name=name)


def _create_people() -> None:
    op.create_table(
        "people_book",
        sa.Column("tenant", sa.String(255), primary_key=True),
        sa.Column("last_change", sa.Integer, nullable=False),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("tenant", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255)),
        sa.Column("hidden", sa.Boolean, nullable=False),
        sa.Column("cover_spot_id", sa.Uuid),
        sa.Column("merged_into", sa.Uuid),
        sa.Column("root_id", sa.Uuid, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("gone_at", UtcTime),
    )
    op.create_index("ix_person_name", "person", ["tenant", "name"])
    op.create_index("ix_person_root", "person", ["root_id"])
    op.create_table(
        "face_spot",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("album_id", sa.Uuid, _belongs_to("album", "fk_face_spot_album"), nullable=False),
        sa.Column("source_id", sa.Uuid, nullable=False),
        sa.Column("face_id", sa.Uuid),
        *(sa.Column(name, sa.Double, nullable=False) for name in "xywh"),
        sa.Column("person_id", sa.Uuid, _belongs_to("person", "fk_face_spot_person", "SET NULL")),
        sa.Column("is_decided", sa.Boolean, nullable=False),
    )
    op.create_index("uq_face_spot_face", "face_spot", ["face_id"], unique=True)
    op.create_index("ix_face_spot_source", "face_spot", ["source_id"])
    op.create_index("ix_face_spot_album", "face_spot", ["album_id", "person_id"])
    op.create_index("ix_face_spot_person", "face_spot", ["person_id"])
    op.create_table(
        "not_person",
        sa.Column("spot_id", sa.Uuid, _belongs_to("face_spot", "fk_not_person_spot"), primary_key=True),
        sa.Column("person_id", sa.Uuid, _belongs_to("person", "fk_not_person_person"), primary_key=True),
    )
    op.create_index("ix_not_person_person", "not_person", ["person_id"])


def _create_history() -> None:
    op.create_table(
        "people_change",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("tenant", sa.String(255), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("other_id", sa.Uuid),
        sa.Column("fields", sa.JSON, nullable=False),
        sa.Column("faces", sa.Integer, nullable=False),
        sa.Column("made_at", UtcTime, nullable=False),
        sa.Column("undone_at", UtcTime),
    )
    op.create_index("uq_people_change_number", "people_change", ["tenant", "number"], unique=True)
    op.create_index("ix_people_change_person", "people_change", ["person_id"])
    op.create_index("ix_people_change_other", "people_change", ["other_id"])
    op.create_table(
        "people_change_spot",
        sa.Column("change_id", sa.Uuid, _belongs_to("people_change", "fk_people_change_spot_change"), primary_key=True),
        sa.Column("spot_id", sa.Uuid, _belongs_to("face_spot", "fk_people_change_spot_spot"), primary_key=True),
        sa.Column("before_person", sa.Uuid),
        sa.Column("before_decided", sa.Boolean, nullable=False),
        sa.Column("not_people", sa.JSON, nullable=False),
    )
    op.create_index("ix_people_change_spot_spot", "people_change_spot", ["spot_id"])
    op.create_index("ix_people_change_spot_before", "people_change_spot", ["before_person"])


def _create_grouping() -> None:
    op.create_table(
        "clustering",
        sa.Column("album_id", sa.Uuid, _belongs_to("album", "fk_clustering_album"), primary_key=True),
        sa.Column("wanted_at", UtcTime),
        sa.Column("lease_token", sa.Uuid),
        sa.Column("lease_until", UtcTime),
        sa.Column("dispatched_at", UtcTime),
        sa.Column("next_attempt_at", UtcTime, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("detail", sa.Text),
        sa.Column("finished_at", UtcTime),
        sa.Column("seconds", sa.Double),
        sa.Column("total_faces", sa.Integer),
        sa.Column("clusters", sa.Integer),
        sa.Column("noise_faces", sa.Integer),
        sa.Column("limits", sa.JSON),
    )
    op.create_table(
        "unseen_photo",
        sa.Column("photo_id", sa.Uuid, primary_key=True),
        sa.Column("album_id", sa.Uuid, nullable=False),
        sa.Column("stamp", sa.Uuid, nullable=False),
        sa.Column("entered_at", UtcTime, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_unseen_photo_album", "unseen_photo", ["album_id", "entered_at"])


def _mark_unseen() -> None:
    photo = sa.table("photo", sa.column("id"), sa.column("album_id"), sa.column("state"), sa.column("face_count"))
    unseen = sa.table("unseen_photo", *(sa.column(name) for name in ("photo_id", "album_id", "stamp", "entered_at")))
    indexed = sa.select(photo.c.id, photo.c.album_id, fresh_token(), utc_now())
    with_faces = indexed.where(photo.c.state == "indexed", photo.c.face_count > 0)
    op.execute(unseen.insert().from_select([column.name for column in unseen.columns], with_faces))
