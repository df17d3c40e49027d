"""Tables of what is deleted for good, a person's faces for instance: what may not come back, and what has still to go.

Neither says who anybody was, nor what they looked like.
"""

import sqlalchemy as sa

from facefleet.ledger.clock import UtcTime, utc_now
from facefleet.ledger.schema import metadata

#: Where in a photo a face was that is not to be kept, whatever model sees it there and whichever version it has.
unkept_place = sa.Table(
    "unkept_place",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("album_id", sa.ForeignKey("album.id", ondelete="CASCADE", name="fk_unkept_place_album"), nullable=False),
    #: photo.source_id.
    sa.Column("source_id", sa.Uuid, nullable=False),
    #: The box, in fractions of the upright photo.
    sa.Column("x", sa.Double, nullable=False),
    sa.Column("y", sa.Double, nullable=False),
    sa.Column("w", sa.Double, nullable=False),
    sa.Column("h", sa.Double, nullable=False),
)
sa.Index("ix_unkept_place_source", unkept_place.c.source_id)
sa.Index("ix_unkept_place_album", unkept_place.c.album_id)

#: The outbox: faces whose rows are gone and whose points have to follow.
doomed_face = sa.Table(
    "doomed_face",
    metadata,
    sa.Column("face_id", sa.Uuid, primary_key=True),
    #: No foreign key: an album that is deleted meanwhile takes its points along.
    sa.Column("album_id", sa.Uuid, nullable=False),
    sa.Column("tenant", sa.String(255), nullable=False),
    #: Who is being purged; null: a face that was seen again at a place that is not kept.
    sa.Column("person_id", sa.Uuid),
    sa.Column("photo_id", sa.Uuid, nullable=False),
    #: The image that goes along because no other face is left on it; null: none does.
    sa.Column("image_uri", sa.Text),
    sa.Column("entered_at", UtcTime, nullable=False, default=utc_now()),
)
sa.Index("ix_doomed_face_person", doomed_face.c.person_id)
sa.Index("ix_doomed_face_photo", doomed_face.c.photo_id)
sa.Index("ix_doomed_face_entered", doomed_face.c.entered_at)
