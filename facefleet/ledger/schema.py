"""The tables. `migrations/` creates the same ones; a test compares the two on both databases."""

from enum import StrEnum

import sqlalchemy as sa

from facefleet.ledger.clock import UtcTime, utc_now
from facefleet.records import JobState, PhotoState

metadata = sa.MetaData()

#: Sorts by code point in both databases, whatever locale PostgreSQL was made with.
SORTED_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
#: Characters of a photo's name that lists are sorted by: PostgreSQL refuses index entries above 2,704 bytes.
SORT_NAME_CHARS = 600


def state_is(column: sa.ColumnElement[str], *states: StrEnum) -> sa.ColumnElement[bool]:
    """Compare with states written into the SQL: a partial index is not used for a bound parameter."""
    return column.in_([sa.literal_column(f"'{state}'", sa.String) for state in states])


def row_state_is(column: sa.ColumnElement[str], *states: StrEnum) -> sa.ColumnElement[bool]:
    """Compare the state of rows that are found by id, in a form that fits no index.

    PostgreSQL knows nothing of a table that was filled a minute ago and would read every pending photo instead.
    """
    return state_is(sa.func.coalesce(column, ""), *states)


def _one_of(states: type[StrEnum]) -> str:
    return "state IN ({})".format(", ".join(f"'{state}'" for state in states))


album = sa.Table(
    "album",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    #: Who owns it.
    sa.Column("tenant", sa.String(255), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("created_at", UtcTime, nullable=False, default=utc_now()),
    #: When its deletion began; from then on nobody finds it and its name is free.
    sa.Column("deleting_since", UtcTime),
    #: It is deleted after so many days without a search; null: it is kept.
    sa.Column("forget_after_days", sa.Integer),
    #: When that was said; the days are counted from then on, or from the last search.
    sa.Column("retention_since", UtcTime),
)
sa.Index(
    "uq_album_name",
    album.c.tenant,
    album.c.name,
    unique=True,
    sqlite_where=album.c.deleting_since.is_(None),
    postgresql_where=album.c.deleting_since.is_(None),
)

job = sa.Table(
    "job",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("album_id", sa.ForeignKey("album.id", ondelete="CASCADE", name="fk_job_album"), nullable=False),
    #: `file:///dir`, `s3://bucket/prefix`, `uploads:` or `events:`.
    sa.Column("source", sa.Text, nullable=False),
    #: A JobState; `done` is never stored: it is `running` with no photo waiting.
    sa.Column("state", sa.String(16), nullable=False),
    #: Why it failed, for a person.
    sa.Column("detail", sa.Text),
    #: Until when its lister owns it; null: nobody lists.
    sa.Column("listing_until", UtcTime),
    sa.Column("created_at", UtcTime, nullable=False, default=utc_now()),
    #: When every photo of the source was in the ledger, or listing failed.
    sa.Column("listing_ended_at", UtcTime),
    sa.CheckConstraint(_one_of(JobState), name="ck_job_state"),
)
sa.Index("ix_job_album", job.c.album_id)
sa.Index(
    "ix_job_listing",
    job.c.created_at,
    sqlite_where=state_is(job.c.state, JobState.LISTING),
    postgresql_where=state_is(job.c.state, JobState.LISTING),
)

photo = sa.Table(
    "photo",
    metadata,
    #: records.photo_id_of(album, uri, version, model version): what makes it unique.
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("album_id", sa.ForeignKey("album.id", ondelete="CASCADE", name="fk_photo_album"), nullable=False),
    #: The job that entered it; later jobs that saw it have a row in `job_photo`.
    sa.Column("job_id", sa.ForeignKey("job.id", ondelete="CASCADE", name="fk_photo_job"), nullable=False),
    #: Names album and uri: shared by all versions of one photo.
    sa.Column("source_id", sa.Uuid, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    #: The first characters of the name, which lists are sorted by.
    sa.Column("sort_name", SORTED_TEXT, nullable=False),
    sa.Column("store_uri", sa.Text, nullable=False),
    #: Changes with the bytes: mtime and size, an ETag, or an S3 version id.
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("model_version", sa.String(64), nullable=False),
    #: A PhotoState.
    sa.Column("state", sa.String(16), nullable=False, default=PhotoState.PENDING.value),
    #: Claims so far that were not given back.
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    #: Claims whose worker died.
    sa.Column("crash_count", sa.Integer, nullable=False, default=0),
    #: Names the claim that owns it; null: nobody does.
    sa.Column("lease_token", sa.Uuid),
    #: When the owner is given up unless it renews.
    sa.Column("lease_until", UtcTime),
    #: Not claimed before this moment (backoff).
    sa.Column("next_attempt_at", UtcTime, nullable=False, default=utc_now()),
    #: When the relay last sent it to the broker; null: not since it became pending.
    sa.Column("dispatched_at", UtcTime),
    #: When a listing last said that this is the photo's current version; an earlier one is older.
    sa.Column("listed_at", UtcTime, nullable=False, default=utc_now()),
    #: When it became indexed or dead.
    sa.Column("finished_at", UtcTime),
    #: When the gallery's points of a deleted photo were gone; null: still to be purged.
    sa.Column("purged_at", UtcTime),
    #: Why it is dead: an error's `reason`.
    sa.Column("reason", sa.String(64)),
    #: Why it is dead, for a person.
    sa.Column("detail", sa.Text),
    sa.Column("face_count", sa.Integer),
    #: Size of the upright photo.
    sa.Column("width_px", sa.Integer),
    sa.Column("height_px", sa.Integer),
    #: When it was taken, by the camera's own clock, which knows no time zone.
    sa.Column("taken_at", sa.DateTime),
    sa.CheckConstraint(_one_of(PhotoState), name="ck_photo_state"),
)
sa.Index("ix_photo_source", photo.c.source_id)
sa.Index("ix_photo_sort_name", photo.c.album_id, photo.c.sort_name, photo.c.id)
#: Counts come from an index alone: progress is asked twice a second of albums with 100,000 photos.
sa.Index("ix_photo_album_counts", photo.c.album_id, photo.c.state, photo.c.face_count)
sa.Index("ix_photo_job_counts", photo.c.job_id, photo.c.state, photo.c.face_count, photo.c.finished_at)


def _index_photos_in(state: PhotoState, name: str, *columns: sa.Column[object]) -> None:
    """Index the few photos that are in one state."""
    where = state_is(photo.c.state, state)
    sa.Index(name, *columns, sqlite_where=where, postgresql_where=where)


#: How many were finished lately. An index costs every photo that is in it each time that the photo changes.
sa.Index(
    "ix_photo_finished",
    photo.c.finished_at,
    sqlite_where=photo.c.finished_at.is_not(None),
    postgresql_where=photo.c.finished_at.is_not(None),
)
_index_photos_in(PhotoState.PENDING, "ix_photo_due", photo.c.album_id, photo.c.next_attempt_at)
_index_photos_in(PhotoState.PENDING, "ix_photo_dispatched", photo.c.dispatched_at)
_index_photos_in(PhotoState.LEASED, "ix_photo_leased", photo.c.lease_until)
_index_photos_in(PhotoState.DELETED, "ix_photo_unpurged", photo.c.purged_at)

#: Photos that were sent a few at a time: the relay sends them before all others, and then forgets their hurry.
urgent_photo = sa.Table(
    "urgent_photo", metadata, sa.Column("photo_id", sa.Uuid, primary_key=True), sqlite_with_rowid=False
)

#: The newest event of every object. Older ones that arrive late are told by it, those of deleted objects too.
object_event = sa.Table(
    "object_event",
    metadata,
    #: Names the object's uri.
    sa.Column("object_id", sa.Uuid, primary_key=True),
    #: Hexadecimal digits, all of one length, so that they sort as numbers do.
    sa.Column("sequencer", SORTED_TEXT, nullable=False),
    sa.Column("seen_at", UtcTime, nullable=False, default=utc_now()),
)
sa.Index("ix_object_event_seen", object_event.c.seen_at)

#: Events that say nothing usable.
ingest_dead = sa.Table(
    "ingest_dead",
    metadata,
    #: Names reason and body: the same message twice is one row.
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("received_at", UtcTime, nullable=False, default=utc_now()),
    sa.Column("reason", sa.String(64), nullable=False),
    #: A sentence for a person.
    sa.Column("detail", sa.Text, nullable=False),
    #: What was sent, cut to a bounded length.
    sa.Column("body", sa.Text, nullable=False),
)
sa.Index("ix_ingest_dead_received", ingest_dead.c.received_at, ingest_dead.c.id)

#: Which photos a job saw that another job had entered. No foreign key to the photo: only `erase` removes photos,
#: and it removes these rows first.
job_photo = sa.Table(
    "job_photo",
    metadata,
    sa.Column("job_id", sa.ForeignKey("job.id", ondelete="CASCADE", name="fk_job_photo_job"), primary_key=True),
    sa.Column("photo_id", sa.Uuid, primary_key=True),
    sqlite_with_rowid=False,
)

face = sa.Table(
    "face",
    metadata,
    #: records.face_id_of(photo, number); the gallery's point has the same id.
    sa.Column("id", sa.Uuid, primary_key=True),
    #: That of its photo.
    sa.Column("album_id", sa.Uuid, nullable=False),
    sa.Column("photo_id", sa.ForeignKey("photo.id", ondelete="CASCADE", name="fk_face_photo"), nullable=False),
    #: Counts the faces of one photo from 0, as the recognizer ordered them.
    sa.Column("number", sa.Integer, nullable=False),
    #: The box, in pixels of the upright photo.
    sa.Column("x", sa.Double, nullable=False),
    sa.Column("y", sa.Double, nullable=False),
    sa.Column("w", sa.Double, nullable=False),
    sa.Column("h", sa.Double, nullable=False),
    #: Ten numbers, x and y of five points, in pixels of the upright photo.
    sa.Column("landmarks", sa.JSON, nullable=False),
    #: The detector's confidence, 0-1.
    sa.Column("detection_score", sa.Double, nullable=False),
    #: The fields of records.Quality, in its units.
    sa.Column("overall", sa.Double, nullable=False),
    sa.Column("size_px", sa.Double, nullable=False),
    sa.Column("sharpness", sa.Double, nullable=False),
    sa.Column("brightness", sa.Double, nullable=False),
    sa.Column("yaw_deg", sa.Double, nullable=False),
    sa.Column("pitch_deg", sa.Double, nullable=False),
    sa.Column("roll_deg", sa.Double, nullable=False),
    # PostgreSQL goes without: it would look the album up, and lock it, for every face, and the photo has it already.
    sa.ForeignKeyConstraint(["album_id"], ["album.id"], name="fk_face_album", ondelete="CASCADE").ddl_if("sqlite"),
)
sa.Index("ix_face_photo", face.c.photo_id, face.c.number)
sa.Index("ix_face_album", face.c.album_id, face.c.id)
