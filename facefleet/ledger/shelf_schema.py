"""The shelf: photos and faces as another model sees them, beside those that everybody works with.

Before a migration switches, the next model's rows are here; after it, the last model's, until they are thrown away.
"""

from enum import StrEnum

import sqlalchemy as sa

from facefleet.ledger.clock import UtcTime, utc_now
from facefleet.ledger.schema import face, metadata


class ShelvedState(StrEnum):
    """`leased -> ready | failed`; `moving` within the transaction that switches."""

    LEASED = "leased"
    READY = "ready"
    FAILED = "failed"
    MOVING = "moving"


shelved_photo = sa.Table(
    "shelved_photo",
    metadata,
    #: records.photo_id_of for this model version: the points in the gallery carry it.
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("album_id", sa.ForeignKey("album.id", ondelete="CASCADE", name="fk_shelved_photo_album"), nullable=False),
    #: The same photo of the same version in `photo`. No foreign key: when it goes, who sweeps takes the points along.
    sa.Column("counterpart_id", sa.Uuid, nullable=False),
    sa.Column("model_version", sa.String(64), nullable=False),
    #: A ShelvedState.
    sa.Column("state", sa.String(16), nullable=False),
    #: Names the claim that owns it; null: nobody does.
    sa.Column("lease_token", sa.Uuid),
    sa.Column("lease_until", UtcTime),
    #: Why it failed, for a person.
    sa.Column("detail", sa.Text),
    #: Counted when it takes the place of the live one.
    sa.Column("face_count", sa.Integer),
    sa.Column("width_px", sa.Integer),
    sa.Column("height_px", sa.Integer),
)
sa.Index("uq_shelved_photo_counterpart", shelved_photo.c.counterpart_id, shelved_photo.c.model_version, unique=True)
sa.Index("ix_shelved_photo_version", shelved_photo.c.model_version, shelved_photo.c.state, shelved_photo.c.album_id)

shelved_face = sa.Table(
    "shelved_face",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("album_id", sa.ForeignKey("album.id", ondelete="CASCADE", name="fk_shelved_face_album"), nullable=False),
    sa.Column(
        "photo_id", sa.ForeignKey("shelved_photo.id", ondelete="CASCADE", name="fk_shelved_face_photo"), nullable=False
    ),
    #: The face at the same place in `face`; null: there is none, the other model does not see it.
    sa.Column("counterpart_id", sa.Uuid),
    #: The same columns as `face` has.
    *(
        sa.Column(column.name, column.type, nullable=column.nullable)
        for column in face.c
        if column.name not in {"id", "album_id", "photo_id"}
    ),
)
sa.Index("ix_shelved_face_photo", shelved_face.c.photo_id)
sa.Index("ix_shelved_face_counterpart", shelved_face.c.counterpart_id)

#: Faces of shelved photos that are not to be kept, as `dropped_face` of others.
shelved_drop = sa.Table(
    "shelved_drop",
    metadata,
    sa.Column("face_id", sa.Uuid, primary_key=True),
    sa.Column(
        "photo_id", sa.ForeignKey("shelved_photo.id", ondelete="CASCADE", name="fk_shelved_drop_photo"), nullable=False
    ),
)
sa.Index("ix_shelved_drop_photo", shelved_drop.c.photo_id)

#: Every change of the model that an installation works with; the newest says which it is.
model_switch = sa.Table(
    "model_switch",
    metadata,
    #: Counts from 1.
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("from_version", sa.String(64), nullable=False),
    sa.Column("from_pack", sa.Text, nullable=False),
    sa.Column("to_version", sa.String(64), nullable=False),
    #: Name or directory of the pack, as it was given.
    sa.Column("to_pack", sa.Text, nullable=False),
    sa.Column("photos", sa.Integer, nullable=False),
    sa.Column("switched_at", UtcTime, nullable=False, default=utc_now()),
)


def is_kept() -> sa.ColumnElement[bool]:
    """Select shelved faces that never had a counterpart, and those whose counterpart was not deleted meanwhile."""
    live = face.alias("live")
    is_there = sa.select(live.c.id).where(live.c.id == shelved_face.c.counterpart_id).exists()
    return sa.or_(shelved_face.c.counterpart_id.is_(None), is_there)
