"""What came of a grouping on its way back into the ledger: whose face is whose, and what is over with it."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.schema import CreateTable, DropTable

from facefleet.ledger.clock import fresh_token, utc_now
from facefleet.ledger.clusterings import ClusteringLease, is_held
from facefleet.ledger.people_schema import (
    clustering,
    face_spot,
    not_person,
    people_change_spot,
    person,
    unseen_photo,
)
from facefleet.ledger.schema import face, photo, state_is
from facefleet.ledger.spots import FACE_PLACE
from facefleet.people.matching import GroupedFace, KnownPeople, match_clusters, place_joined
from facefleet.people_records import Grouped, Unseen
from facefleet.records import PhotoState

#: Faces without a spot, and whose they are: only this transaction sees them.
_given_face = sa.Table(
    "given_face",
    sa.MetaData(),
    sa.Column("face_id", sa.Uuid, primary_key=True),
    sa.Column("person_id", sa.Uuid),
    prefixes=["TEMPORARY"],
)


def write_people(
    connection: sa.Connection,
    lease: ClusteringLease,
    grouped: Grouped,
    rows: Sequence[sa.Row[Any]],
    people: KnownPeople,
) -> None:
    """Give faces to people, as the run found and humans allow.

    Args:
        connection: in a transaction that writes, and holds the book.
        lease: of the album.
        grouped: what the run found.
        rows: of the faces that it concerns.
        people: who there is, and what was decided up to now.
    """
    new_ids: list[UUID] = []

    def new_person() -> UUID:
        new_ids.append(uuid4())
        return new_ids[-1]

    faces = [
        GroupedFace(row.id, row.photo_id, grouped.grouping.labels.get(row.id, -1), row.person_id, bool(row.is_decided))
        for row in rows
    ]
    owners = grouped.grouping.owners
    if owners is None:
        chosen = match_clusters(faces, people, new_person)
    else:
        chosen = place_joined(faces, owners, people, new_person)
    used = set(chosen.values())
    new_people = [
        {"id": each, "root_id": each, "tenant": lease.tenant, "hidden": False} for each in new_ids if each in used
    ]
    if new_people:
        connection.execute(person.insert(), new_people)
    _write_spots(connection, [(row, chosen[row.id]) for row in rows if row.person_id != chosen[row.id]])


def _write_spots(connection: sa.Connection, changed: Sequence[tuple[sa.Row[Any], UUID | None]]) -> None:
    known = [{"id_": row.spot_id, "person_id_": person_id} for row, person_id in changed if row.spot_id]
    if known:
        give = face_spot.update().where(face_spot.c.id == sa.bindparam("id_"), face_spot.c.is_decided.is_(False))
        connection.execute(give.values(person_id=sa.bindparam("person_id_")), known)
    _enter_spots(connection, {row.id: person_id for row, person_id in changed if not row.spot_id})


def _enter_spots(connection: sa.Connection, owners: Mapping[UUID, UUID | None]) -> None:
    """Enter spots, each with its face's place: reading places out, and in again, takes several times as long."""
    if not owners:
        return
    connection.execute(CreateTable(_given_face))
    rows = [{"face_id": face_id, "person_id": person_id} for face_id, person_id in owners.items()]
    connection.execute(_given_face.insert(), rows)
    places = sa.select(fresh_token(), *FACE_PLACE, _given_face.c.person_id, sa.false())
    places = places.select_from(_given_face).join(face, face.c.id == _given_face.c.face_id)
    places = places.join(photo, photo.c.id == face.c.photo_id)
    columns = ["id", "face_id", "album_id", "source_id", *"xywh", "person_id", "is_decided"]
    connection.execute(face_spot.insert().from_select(columns, places))
    connection.execute(DropTable(_given_face))


def forget_deleted(connection: sa.Connection, album_id: UUID) -> None:
    """Forget where faces of deleted photos were, unless a human said something about them: the photo may come back."""
    present = state_is(photo.c.state, *(state for state in PhotoState if state != PhotoState.DELETED))
    there = sa.select(photo.c.id).where(photo.c.source_id == face_spot.c.source_id, present).exists()
    said = sa.or_(
        sa.select(not_person.c.spot_id).where(not_person.c.spot_id == face_spot.c.id).exists(),
        sa.select(people_change_spot.c.spot_id).where(people_change_spot.c.spot_id == face_spot.c.id).exists(),
    )
    gone = sa.and_(face_spot.c.album_id == album_id, face_spot.c.is_decided.is_(False), ~there, ~said)
    connection.execute(face_spot.delete().where(gone))


def strike_out(connection: sa.Connection, unseen: Unseen) -> None:
    """Forget that photos were new; those that were indexed again meanwhile have another stamp and stay."""
    gone = unseen_photo.delete().where(
        unseen_photo.c.photo_id == sa.bindparam("photo_id_"), unseen_photo.c.stamp == sa.bindparam("stamp_")
    )
    if unseen.stamps:
        stamps = [{"photo_id_": photo_id, "stamp_": stamp} for photo_id, stamp in sorted(unseen.stamps.items())]
        connection.execute(gone, stamps)


def finish_run(connection: sa.Connection, lease: ClusteringLease, grouped: Grouped) -> None:
    """Give the album back, count, and keep a wish that came up meanwhile."""
    in_album = face.c.album_id == lease.album_id
    total = sa.select(sa.func.count()).select_from(face).where(in_album).scalar_subquery()
    theirs = sa.select(face.c.id).join(face_spot, face_spot.c.face_id == face.c.id)
    theirs = theirs.join(person, person.c.id == face_spot.c.person_id).where(face_spot.c.album_id == lease.album_id)
    clusters = theirs.with_only_columns(sa.func.count(sa.distinct(person.c.root_id))).scalar_subquery()
    somebodys = theirs.with_only_columns(sa.func.count()).scalar_subquery()
    ended: dict[str, Any] = {
        "wanted_at": sa.case((clustering.c.wanted_at == lease.wanted_at, sa.null()), else_=clustering.c.wanted_at),
        "lease_token": None,
        "lease_until": None,
        "attempt": 0,
        "detail": None,
        "finished_at": utc_now(),
        "seconds": grouped.seconds,
        "total_faces": total,
        "clusters": clusters,
        "noise_faces": total - somebodys,
    }
    if grouped.grouping.owners is None:
        ended["limits"] = grouped.grouping.limits
    connection.execute(clustering.update().where(*is_held(lease)).values(**ended))
