"""Tables of people: who is on which face, what was decided about it, and how far an album's grouping is."""

import sqlalchemy as sa

from facefleet.ledger.clock import UtcTime, utc_now
from facefleet.ledger.schema import metadata

#: One row for each tenant. Whoever writes people holds it, so that people and groupings of a tenant change in turn.
people_book = sa.Table(
    "people_book",
    metadata,
    sa.Column("tenant", sa.String(255), primary_key=True),
    #: Number of the newest change.
    sa.Column("last_change", sa.Integer, nullable=False, default=0),
)

#: A person of a tenant, in any number of its albums.
person = sa.Table(
    "person",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant", sa.String(255), nullable=False),
    sa.Column("name", sa.String(255)),
    sa.Column("hidden", sa.Boolean, nullable=False, default=False),
    #: The face_spot that was chosen to show the person; null, or one that is gone: the best one is shown.
    sa.Column("cover_spot_id", sa.Uuid),
    #: Whom it was merged into. Its faces stay its own, so that undoing finds those that joined since.
    sa.Column("merged_into", sa.Uuid),
    #: Who it is after all merges; itself while it was not merged.
    sa.Column("root_id", sa.Uuid, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False, default=utc_now()),
    #: When it was deleted, or lost its last face without having a name.
    sa.Column("gone_at", UtcTime),
    #: When it was purged: then nothing but the id is left.
    sa.Column("purged_at", UtcTime),
)
sa.Index("ix_person_name", person.c.tenant, person.c.name)
sa.Index("ix_person_root", person.c.root_id)

#: A face's place in a photo. It outlives the face's row and id, which change with the model and its settings.
face_spot = sa.Table(
    "face_spot",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("album_id", sa.ForeignKey("album.id", ondelete="CASCADE", name="fk_face_spot_album"), nullable=False),
    #: photo.source_id: the photo whatever its version and model.
    sa.Column("source_id", sa.Uuid, nullable=False),
    #: The face that is there now. No foreign key: indexing again writes the same faces anew.
    sa.Column("face_id", sa.Uuid),
    #: The box, in fractions of the upright photo.
    sa.Column("x", sa.Double, nullable=False),
    sa.Column("y", sa.Double, nullable=False),
    sa.Column("w", sa.Double, nullable=False),
    sa.Column("h", sa.Double, nullable=False),
    #: Whose face it is, before merges; null: nobody's.
    sa.Column("person_id", sa.ForeignKey("person.id", ondelete="SET NULL", name="fk_face_spot_person")),
    #: Whether a human said so; then no grouping changes it.
    sa.Column("is_decided", sa.Boolean, nullable=False, default=False),
)
sa.Index("uq_face_spot_face", face_spot.c.face_id, unique=True)
sa.Index("ix_face_spot_source", face_spot.c.source_id)
sa.Index("ix_face_spot_album", face_spot.c.album_id, face_spot.c.person_id)
sa.Index("ix_face_spot_person", face_spot.c.person_id)

#: Whose face it is not, as a human said.
not_person = sa.Table(
    "not_person",
    metadata,
    sa.Column(
        "spot_id", sa.ForeignKey("face_spot.id", ondelete="CASCADE", name="fk_not_person_spot"), primary_key=True
    ),
    sa.Column(
        "person_id", sa.ForeignKey("person.id", ondelete="CASCADE", name="fk_not_person_person"), primary_key=True
    ),
)
sa.Index("ix_not_person_person", not_person.c.person_id)

#: The history: one row for every change that a human made.
people_change = sa.Table(
    "people_change",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("tenant", sa.String(255), nullable=False),
    #: Counts the changes of a tenant from 1.
    sa.Column("number", sa.Integer, nullable=False),
    #: A people_records.ChangeKind.
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("person_id", sa.Uuid, nullable=False),
    #: The second person of a merge or a split.
    sa.Column("other_id", sa.Uuid),
    #: What was and became: {person id.field: [before, after]}.
    sa.Column("fields", sa.JSON, nullable=False),
    #: How many faces it moved.
    sa.Column("faces", sa.Integer, nullable=False),
    sa.Column("made_at", UtcTime, nullable=False, default=utc_now()),
    sa.Column("undone_at", UtcTime),
)
sa.Index("uq_people_change_number", people_change.c.tenant, people_change.c.number, unique=True)
sa.Index("ix_people_change_person", people_change.c.person_id)
sa.Index("ix_people_change_other", people_change.c.other_id)

#: The faces that a change moved, and what they were.
people_change_spot = sa.Table(
    "people_change_spot",
    metadata,
    sa.Column(
        "change_id",
        sa.ForeignKey("people_change.id", ondelete="CASCADE", name="fk_people_change_spot_change"),
        primary_key=True,
    ),
    sa.Column(
        "spot_id",
        sa.ForeignKey("face_spot.id", ondelete="CASCADE", name="fk_people_change_spot_spot"),
        primary_key=True,
    ),
    sa.Column("before_person", sa.Uuid),
    sa.Column("before_decided", sa.Boolean, nullable=False),
    #: The people of the `not_person` rows that the change entered.
    sa.Column("not_people", sa.JSON, nullable=False),
)
sa.Index("ix_people_change_spot_spot", people_change_spot.c.spot_id)
sa.Index("ix_people_change_spot_before", people_change_spot.c.before_person)

#: How far the grouping of an album's faces is.
clustering = sa.Table(
    "clustering",
    metadata,
    sa.Column("album_id", sa.ForeignKey("album.id", ondelete="CASCADE", name="fk_clustering_album"), primary_key=True),
    #: When somebody last asked for all faces to be grouped anew; null: nobody waits for that.
    sa.Column("wanted_at", UtcTime),
    #: Names the run that owns the album; null: none does.
    sa.Column("lease_token", sa.Uuid),
    sa.Column("lease_until", UtcTime),
    #: When the album was last sent to the broker; null: not since it was looked at.
    sa.Column("dispatched_at", UtcTime),
    #: Not claimed before this moment (backoff).
    sa.Column("next_attempt_at", UtcTime, nullable=False, default=utc_now()),
    #: Claims since the last run that ended well, but for those that a dependency cut short.
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    #: What went wrong last, for a person.
    sa.Column("detail", sa.Text),
    #: Of the last run that ended well.
    sa.Column("finished_at", UtcTime),
    sa.Column("seconds", sa.Double),
    #: Faces of the album as that run left them.
    sa.Column("total_faces", sa.Integer),
    sa.Column("clusters", sa.Integer),
    sa.Column("noise_faces", sa.Integer),
    #: What the last run over all faces learnt about how alike one person's look, for faces that come later.
    sa.Column("limits", sa.JSON(none_as_null=True)),
)

#: Indexed photos with faces that no grouping has looked at: what makes an album's people stale.
unseen_photo = sa.Table(
    "unseen_photo",
    metadata,
    sa.Column("photo_id", sa.Uuid, primary_key=True),
    sa.Column("album_id", sa.Uuid, nullable=False),
    #: Drawn anew whenever the photo is indexed: a run that read older faces does not strike it out.
    sa.Column("stamp", sa.Uuid, nullable=False),
    sa.Column("entered_at", UtcTime, nullable=False, default=utc_now()),
    sqlite_with_rowid=False,
)
sa.Index("ix_unseen_photo_album", unseen_photo.c.album_id, unseen_photo.c.entered_at)
