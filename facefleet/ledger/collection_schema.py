"""Tables that only Rekognition's operations fill: what a collection knows beyond an album's photos and faces."""

import sqlalchemy as sa

from facefleet.ledger.clock import UtcTime, utc_now
from facefleet.ledger.schema import SORTED_TEXT, metadata

#: The caller's own name for an image.
external_image = sa.Table(
    "external_image",
    metadata,
    sa.Column(
        "photo_id", sa.ForeignKey("photo.id", ondelete="CASCADE", name="fk_external_image_photo"), primary_key=True
    ),
    sa.Column("external_id", sa.String(255), nullable=False),
)

#: Faces that were found but are not to be kept: too poor, too many, or deleted one by one. Indexing again skips them.
dropped_face = sa.Table(
    "dropped_face",
    metadata,
    sa.Column("face_id", sa.Uuid, primary_key=True),
    sa.Column("photo_id", sa.ForeignKey("photo.id", ondelete="CASCADE", name="fk_dropped_face_photo"), nullable=False),
)
sa.Index("ix_dropped_face_photo", dropped_face.c.photo_id)

#: People as a caller names them.
collection_user = sa.Table(
    "collection_user",
    metadata,
    sa.Column(
        "album_id", sa.ForeignKey("album.id", ondelete="CASCADE", name="fk_collection_user_album"), primary_key=True
    ),
    sa.Column("user_id", SORTED_TEXT, primary_key=True),
    sa.Column("created_at", UtcTime, nullable=False, default=utc_now()),
)

#: Whose face is whose. No foreign key to the face: indexing again writes the same faces anew.
user_face = sa.Table(
    "user_face",
    metadata,
    sa.Column("face_id", sa.Uuid, primary_key=True),
    sa.Column("album_id", sa.Uuid, nullable=False),
    sa.Column("user_id", SORTED_TEXT, nullable=False),
    sa.ForeignKeyConstraint(
        ["album_id", "user_id"],
        ["collection_user.album_id", "collection_user.user_id"],
        ondelete="CASCADE",
        name="fk_user_face_user",
    ),
)
sa.Index("ix_user_face_user", user_face.c.album_id, user_face.c.user_id)

album_tag = sa.Table(
    "album_tag",
    metadata,
    sa.Column("album_id", sa.ForeignKey("album.id", ondelete="CASCADE", name="fk_album_tag_album"), primary_key=True),
    sa.Column("name", SORTED_TEXT, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

#: Answers to requests that a caller may send twice.
client_token = sa.Table(
    "client_token",
    metadata,
    sa.Column(
        "album_id", sa.ForeignKey("album.id", ondelete="CASCADE", name="fk_client_token_album"), primary_key=True
    ),
    sa.Column("token", SORTED_TEXT, primary_key=True),
    #: Names operation and request.
    sa.Column("request", sa.Uuid, nullable=False),
    sa.Column("answer", sa.JSON, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False, default=utc_now()),
)
sa.Index("ix_client_token_created", client_token.c.created_at)

#: Messages to addresses of callers.
callback = sa.Table(
    "callback",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant", sa.String(255), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    #: JSON with templates; empty once nobody is to be sent it any more.
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False, default=utc_now()),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    sa.Column("next_attempt_at", UtcTime, nullable=False, default=utc_now()),
    #: When it was given up.
    sa.Column("dead_at", UtcTime),
    #: What went wrong last.
    sa.Column("detail", sa.Text),
)
sa.Index("ix_callback_due", callback.c.dead_at, callback.c.next_attempt_at)
