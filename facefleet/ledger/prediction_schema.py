"""Tables of predictions: who new faces are likely to be, and which photos still wait for that."""

import sqlalchemy as sa

from facefleet.ledger.clock import UtcTime, utc_now
from facefleet.ledger.schema import metadata

#: What each classifier said about a face when it was new.
prediction = sa.Table(
    "prediction",
    metadata,
    sa.Column("face_id", sa.ForeignKey("face.id", ondelete="CASCADE", name="fk_prediction_face"), primary_key=True),
    #: A prediction.classifiers.Classifier.
    sa.Column("classifier", sa.String(16), primary_key=True),
    #: The likeliest person, as it was then; who that is after all merges is looked up when it is read. No foreign key:
    #: a prediction of somebody who is gone names nobody.
    sa.Column("person_id", sa.Uuid, nullable=False),
    #: 0-1.
    sa.Column("confidence", sa.Double, nullable=False),
    #: What the classifier took for this face.
    sa.Column("latency_ms", sa.Double, nullable=False),
    sa.Column("made_at", UtcTime, nullable=False, default=utc_now()),
    sqlite_with_rowid=False,
)

#: The outbox: photos that became indexed while their tenant had named people, and have no predictions yet.
unpredicted_photo = sa.Table(
    "unpredicted_photo",
    metadata,
    sa.Column("photo_id", sa.Uuid, primary_key=True),
    sa.Column("album_id", sa.Uuid, nullable=False),
    #: Drawn anew whenever the photo is indexed: who read older faces does not strike it out.
    sa.Column("stamp", sa.Uuid, nullable=False),
    sa.Column("entered_at", UtcTime, nullable=False, default=utc_now()),
    #: When it was last sent to the broker; null: not since somebody worked on it.
    sa.Column("dispatched_at", UtcTime),
    #: Nobody claims it before this moment: somebody is at it, or it failed a while ago.
    sa.Column("not_before", UtcTime, nullable=False, default=utc_now()),
    #: Claims so far, but for those that a dependency cut short.
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    sqlite_with_rowid=False,
)
sa.Index("ix_unpredicted_photo_entered", unpredicted_photo.c.entered_at)
sa.Index("ix_unpredicted_photo_album", unpredicted_photo.c.album_id)
