"""Live rows and shelved ones change places, all in one transaction: the moment in which the model changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from facefleet.ledger.audit import Audit, AuditEntry, Outcome
from facefleet.ledger.clock import fresh_token, utc_now
from facefleet.ledger.collection_schema import dropped_face, external_image, user_face
from facefleet.ledger.database import CHUNK, Database
from facefleet.ledger.people_history import hold_book
from facefleet.ledger.people_schema import clustering, face_spot, unseen_photo
from facefleet.ledger.prediction_outbox import mark_unpredicted
from facefleet.ledger.schema import album, face, job_photo, photo, state_is
from facefleet.ledger.shelf import IS_LIVE, ModelSwitch, ShelfCount, is_to_migrate
from facefleet.ledger.shelf_schema import ShelvedState, is_kept, model_switch, shelved_drop, shelved_face, shelved_photo
from facefleet.records import PhotoState

_MOVING = shelved_photo.c.state == ShelvedState.MOVING.value
#: Ids of the photos that change places, on both sides.
_COMING = sa.select(shelved_photo.c.id).where(_MOVING)
_ALBUMS_COMING = sa.select(shelved_photo.c.album_id).where(_MOVING).distinct()
_GOING = sa.select(shelved_photo.c.counterpart_id).where(_MOVING)
#: Shelved photos with what is live in their place.
_PAIRS = shelved_photo.join(photo, photo.c.id == shelved_photo.c.counterpart_id)
#: What `face` and `shelved_face` have in common.
_FACE_COLUMNS = [column.name for column in face.c]


@dataclass(frozen=True)
class ModelSwitches:
    """Counts what is on the shelf, and switches."""

    database: Database
    audit: Audit

    def count(self, model_version: str) -> ShelfCount:
        """Count how far a migration to a version is."""
        waiting = state_is(photo.c.state, PhotoState.PENDING, PhotoState.LEASED)
        mine = shelved_photo.c.model_version == model_version
        by_state = sa.select(shelved_photo.c.state, sa.func.count()).select_from(_PAIRS)
        ready = sa.and_(mine, shelved_photo.c.state == ShelvedState.READY.value, is_to_migrate(model_version))
        faces = (
            sa.select(
                sa.func.count().label("faces"),
                sa.func.count(shelved_face.c.id).label("faces_found"),
                sa.func.count().filter(face_spot.c.is_decided).label("decided"),
                sa.func.count(shelved_face.c.id).filter(face_spot.c.is_decided).label("decided_found"),
            )
            .select_from(face)
            .join(photo, photo.c.id == face.c.photo_id)
            .join(shelved_photo, shelved_photo.c.counterpart_id == photo.c.id)
            .outerjoin(
                shelved_face,
                sa.and_(shelved_face.c.counterpart_id == face.c.id, shelved_face.c.photo_id == shelved_photo.c.id),
            )
            .outerjoin(face_spot, face_spot.c.face_id == face.c.id)
        )
        with self.database.reading() as connection:
            total = sa.select(sa.func.count().label("photos"), sa.func.count(sa.distinct(photo.c.album_id)))
            photos, albums = connection.execute(total.where(is_to_migrate(model_version))).one()
            counted = by_state.where(mine, is_to_migrate(model_version)).group_by(shelved_photo.c.state)
            states = {row[0]: row[1] for row in connection.execute(counted)}
            not_indexed = connection.execute(sa.select(sa.func.count()).select_from(photo).where(waiting)).scalar_one()
            found = connection.execute(faces.where(ready)).one()
        ready_count, failed_count = (states.get(each.value, 0) for each in (ShelvedState.READY, ShelvedState.FAILED))
        return ShelfCount(
            photos=photos,
            albums=albums,
            ready=ready_count,
            failed=failed_count,
            not_indexed=not_indexed,
            **found._mapping,  # noqa: SLF001  public in spite of its name
        )

    def switch(self, switched: ModelSwitch, who: str) -> int:
        """Let the shelf's photos of a version take the places of the live ones, which go onto the shelf.

        Decisions go over from each face to the one at its place. A photo or face that was deleted since it was put on
        the shelf stays deleted. Live photos that are not on the shelf stay as they are.

        Args:
            switched: from what to what.
            who: for the audit log.

        Returns:
            How many photos changed places.
        """
        with self.database.writing() as connection:
            self._hold_people(connection)
            connection.execute(_forget_deleted(switched.to_version))
            connection.execute(_mark(switched.to_version))
            moved = list(connection.execute(_COMING).scalars())
            album_ids = connection.execute(_ALBUMS_COMING).scalars().all()
            for statement in _statements():
                connection.execute(statement)
            for start in range(0, len(moved), CHUNK):
                mark_unpredicted(connection, moved[start : start + CHUNK], album_ids)
            self._note(connection, switched, who, len(moved))
        return len(moved)

    def _hold_people(self, connection: sa.Connection) -> None:
        """Nobody decides anything meanwhile."""
        tenants = sa.select(album.c.tenant).where(album.c.deleting_since.is_(None)).distinct()
        for tenant in connection.execute(tenants.order_by(album.c.tenant)).scalars().all():
            hold_book(connection, tenant)

    def _note(self, connection: sa.Connection, switched: ModelSwitch, who: str, moved: int) -> None:
        newest = sa.select(model_switch.c.number, model_switch.c.to_version)
        row = connection.execute(newest.order_by(model_switch.c.number.desc()).limit(1)).one_or_none()
        if row is not None and row.to_version == switched.to_version:
            return  # photos that came late
        values = {name: getattr(switched, name) for name in ModelSwitch.__dataclass_fields__}
        number = row.number + 1 if row is not None else 1
        connection.execute(model_switch.insert().values(number=number, photos=moved, **values))
        outcome: Outcome = {"from": switched.from_version, "to": switched.to_version, "photos": moved}
        self.audit.append_within(connection, AuditEntry(who, "", "model_switched", switched.to_version, outcome))


def _forget_deleted(model_version: str) -> sa.Delete:
    """Make room: rows of photos that were deleted in the new version once, and are back in another."""
    coming = sa.select(shelved_photo.c.id).where(shelved_photo.c.model_version == model_version)
    return photo.delete().where(state_is(photo.c.state, PhotoState.DELETED), photo.c.id.in_(coming))


def _mark(model_version: str) -> sa.Update:
    """Choose what changes places: ready photos whose live one is there, and not in the new version already."""
    other = photo.alias("other")
    live = sa.select(photo.c.id).where(photo.c.id == shelved_photo.c.counterpart_id, IS_LIVE).exists()
    is_there = sa.select(other.c.id).where(other.c.id == shelved_photo.c.id).exists()
    ready = sa.and_(shelved_photo.c.model_version == model_version, shelved_photo.c.state == ShelvedState.READY.value)
    # Counted now: faces were deleted on both sides since they were put on the shelf.
    count = sa.select(sa.func.count()).select_from(shelved_face).where(shelved_face.c.photo_id == shelved_photo.c.id)
    moving = {"state": ShelvedState.MOVING.value, "face_count": count.where(is_kept()).scalar_subquery()}
    return shelved_photo.update().where(ready, live, ~is_there).values(**moving)


def _statements() -> Sequence[Any]:
    """Name the steps; each tells the two sides apart by `_MOVING`, and the last ones let go of it."""
    return (
        _enter_photos(),
        _shelve_photos(),
        _shelve_faces(),
        _enter_faces(),
        *_carry_over(),
        *_exchange_drops(),
        face.delete().where(face.c.photo_id.in_(_GOING)),
        photo.delete().where(photo.c.id.in_(_GOING)),
        shelved_face.delete().where(shelved_face.c.photo_id.in_(_COMING)),
        shelved_photo.delete().where(_MOVING),
    )


def _enter_photos() -> Any:  # noqa: ANN401  an INSERT
    """Live rows of the new version: what is known of the photo stays, what the model says is new."""
    new = {"id", "model_version", "face_count", "width_px", "height_px"}
    columns = [column.name for column in photo.c]
    values = [shelved_photo.c[name] if name in new else photo.c[name] for name in columns]
    pairs = sa.select(*values).select_from(_PAIRS).where(_MOVING)
    return photo.insert().from_select(columns, pairs)


def _shelve_photos() -> Any:  # noqa: ANN401  an INSERT
    columns = ["id", "album_id", "counterpart_id", "model_version", "state", "width_px", "height_px"]
    values = (
        photo.c.id,
        photo.c.album_id,
        shelved_photo.c.id,
        photo.c.model_version,
        sa.literal(ShelvedState.READY.value),
        *(photo.c[name] for name in columns[5:]),
    )
    pairs = sa.select(*values).select_from(_PAIRS).where(_MOVING)
    return shelved_photo.insert().from_select(columns, pairs)


def _shelve_faces() -> Any:  # noqa: ANN401  an INSERT
    coming = shelved_face.alias("coming")
    values = sa.select(*(face.c[name] for name in _FACE_COLUMNS), coming.c.id)
    matched = sa.and_(coming.c.counterpart_id == face.c.id, coming.c.photo_id.in_(_COMING))
    pairs = values.select_from(face.outerjoin(coming, matched)).where(face.c.photo_id.in_(_GOING))
    return shelved_face.insert().from_select([*_FACE_COLUMNS, "counterpart_id"], pairs)


def _enter_faces() -> Any:  # noqa: ANN401  an INSERT
    columns = (shelved_face.c[name] for name in _FACE_COLUMNS)
    coming = sa.select(*columns).where(shelved_face.c.photo_id.in_(_COMING), is_kept())
    return face.insert().from_select(_FACE_COLUMNS, coming)


def _carry_over() -> Sequence[Any]:
    """Let what refers to faces and photos refer to those that come; a decision without a face there is kept."""
    found = sa.select(shelved_face.c.id).where(shelved_face.c.photo_id.in_(_COMING))
    spot_face = found.where(shelved_face.c.counterpart_id == face_spot.c.face_id).scalar_subquery()
    users_face = found.where(shelved_face.c.counterpart_id == user_face.c.face_id)
    new_photo = sa.select(shelved_photo.c.id).where(_MOVING)
    external = new_photo.where(shelved_photo.c.counterpart_id == external_image.c.photo_id).scalar_subquery()
    seen = new_photo.where(shelved_photo.c.counterpart_id == job_photo.c.photo_id).scalar_subquery()
    going_faces = sa.select(face.c.id).where(face.c.photo_id.in_(_GOING))
    fresh = sa.select(shelved_photo.c.id, shelved_photo.c.album_id, fresh_token(), utc_now()).where(
        _MOVING, shelved_photo.c.face_count > 0
    )
    albums = sa.select(shelved_photo.c.album_id).where(_MOVING)
    anew = {"wanted_at": utc_now(), "limits": sa.null(), "attempt": 0, "dispatched_at": None}
    return (
        face_spot.update().where(face_spot.c.face_id.in_(going_faces)).values(face_id=spot_face),
        user_face.update().where(users_face.exists()).values(face_id=users_face.scalar_subquery()),
        external_image.update().where(external_image.c.photo_id.in_(_GOING)).values(photo_id=external),
        job_photo.update().where(job_photo.c.photo_id.in_(_GOING)).values(photo_id=seen),
        unseen_photo.delete().where(unseen_photo.c.photo_id.in_(_GOING)),
        unseen_photo.insert().from_select(["photo_id", "album_id", "stamp", "entered_at"], fresh),
        clustering.update().where(clustering.c.album_id.in_(albums)).values(**anew),
    )


def _exchange_drops() -> Sequence[Any]:
    """Deleted faces stay deleted on both sides, with those whose counterpart was deleted since."""
    live = face.alias("live")
    is_there = sa.select(live.c.id).where(live.c.id == shelved_face.c.counterpart_id).exists()
    gone = sa.select(shelved_face.c.id, shelved_face.c.photo_id).where(
        shelved_face.c.photo_id.in_(_COMING), shelved_face.c.counterpart_id.is_not(None), ~is_there
    )
    names = ["face_id", "photo_id"]
    back = sa.select(dropped_face.c.face_id, shelved_photo.c.id)
    back = back.select_from(dropped_face.join(shelved_photo, shelved_photo.c.id == dropped_face.c.photo_id))
    coming = sa.select(shelved_drop.c.face_id, shelved_drop.c.photo_id).where(shelved_drop.c.photo_id.in_(_COMING))
    return (
        dropped_face.insert().from_select(names, coming),
        dropped_face.insert().from_select(names, gone),
        shelved_drop.insert().from_select(names, back.where(dropped_face.c.photo_id.in_(_GOING))),
        dropped_face.delete().where(dropped_face.c.photo_id.in_(_GOING)),
    )
