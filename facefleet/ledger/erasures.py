"""People who are forgotten for good: every row that tells of them goes, and what is left elsewhere is remembered."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.errors import PersonNotFound
from facefleet.ledger.audit import BY_ITSELF, Audit, AuditEntry
from facefleet.ledger.clock import utc_now
from facefleet.ledger.database import Database
from facefleet.ledger.erasure_schema import doomed_face
from facefleet.ledger.images import IMAGES_SOURCE
from facefleet.ledger.jobs import standing_job_id
from facefleet.ledger.listing import delete_photos
from facefleet.ledger.people_history import hold_book
from facefleet.ledger.people_schema import (
    clustering,
    face_spot,
    not_person,
    people_book,
    people_change,
    people_change_spot,
    person,
)
from facefleet.ledger.person_faces import PersonFaces
from facefleet.ledger.persons import concerns, find_person, parts_of
from facefleet.ledger.prediction_schema import prediction
from facefleet.ledger.schema import face, photo
from facefleet.ledger.shelf_schema import shelved_face
from facefleet.ledger.spots import fetch_in_chunks
from facefleet.ledger.unkept import remove_faces
from facefleet.people_records import ChangeKind


@dataclass(frozen=True, slots=True)
class Erased:
    """What a person's purge removed."""

    #: That were live; their pictures may be in somebody's memory.
    face_ids: frozenset[UUID]
    #: How many photos they were on.
    photos: int


@dataclass(frozen=True, slots=True)
class DoomedFace:
    """A face whose row is gone and whose point has to follow."""

    face_id: UUID
    album_id: UUID
    #: The image that goes along; None: none does.
    image_uri: str | None


#: Built once: the purger asks several times a second.
_SELECT_DOOMED = (
    sa.select(*(doomed_face.c[name] for name in DoomedFace.__dataclass_fields__))
    .order_by(doomed_face.c.entered_at, doomed_face.c.face_id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


@dataclass(frozen=True)
class Erasures:
    """Twice is once; whoever was killed in between is finished by the dispatcher."""

    database: Database
    audit: Audit

    def forget(self, tenant: str, person_id: UUID, who: str) -> Erased:
        """Remove a person with their faces, decisions, history, name, and whatever was predicted of them.

        Of the places where their faces were it is remembered that nothing is to be kept there.

        Args:
            tenant: whose person.
            person_id: somebody who is there, or was deleted.
            who: for the audit log.

        Raises:
            PersonNotFound: there is no such person, or it was merged into another.
        """
        with self.database.writing() as connection:
            hold_book(connection, tenant)
            parts = _find_parts(connection, tenant, person_id)
            spots = _find_spots(connection, parts)
            faces = PersonFaces(connection, person_id, spots)
            faces.lock()
            faces.enter_places()
            live = faces.find_live()
            faces.leave_users(live)
            faces.clear_shelf(live)
            photo_ids = remove_faces(connection, live, person_id=person_id)
            _doom_images(connection, photo_ids)
            concerned = concerns(connection, tenant, person_id)
            connection.execute(people_change.delete().where(people_change.c.tenant == tenant, concerned))
            _forget_person(connection, tenant, parts, [spot.id for spot in spots])
            _group_anew(connection, {spot.album_id for spot in spots})
            entries = [AuditEntry(who, tenant, "person_deleted", str(person_id), {"faces": len(live)})]
            if not _is_waiting(connection, person_id):
                entries.append(AuditEntry(BY_ITSELF, tenant, "person_purged", str(person_id)))
            self.audit.append_within(connection, *entries)
        return Erased(frozenset(live), len(photo_ids))

    def doomed(self, limit: int) -> list[DoomedFace]:
        """List points that have to go, those that wait longest first."""
        with self.database.reading() as connection:
            return [DoomedFace(*row) for row in connection.execute(_SELECT_DOOMED, {"most": limit})]

    def living(self, face_ids: Collection[UUID]) -> set[UUID]:
        """Name faces that somebody has written anew since they were doomed: ids are made of photo and number."""
        if not face_ids:
            return set()
        with self.database.reading() as connection:
            return {
                row.id
                for table in (face, shelved_face)
                for row in fetch_in_chunks(connection, sa.select(table.c.id), table.c.id, face_ids)
            }

    def mark_gone(self, gone: Sequence[DoomedFace]) -> None:
        """Strike out faces whose points are gone; with the last one of a person, the audit log says so."""
        if not gone:
            return
        ids = [each.face_id for each in gone]
        columns = (doomed_face.c.person_id, doomed_face.c.tenant)
        with self.database.writing() as connection:
            struck = connection.execute(doomed_face.delete().where(doomed_face.c.face_id.in_(ids)).returning(*columns))
            people = {(row.person_id, row.tenant) for row in struck if row.person_id is not None}
            entries = [
                AuditEntry(BY_ITSELF, tenant, "person_purged", str(person_id))
                for person_id, tenant in sorted(people)
                if not _is_waiting(connection, person_id)
            ]
            if entries:
                self.audit.append_within(connection, *entries)


def _find_parts(connection: sa.Connection, tenant: str, person_id: UUID) -> set[UUID]:
    """Name everybody who was merged into a person, and the person.

    Raises:
        PersonNotFound: there is no such person, or it is a part of another.
    """
    try:
        find_person(connection, tenant, person_id)
    except PersonNotFound:
        mine = sa.select(person.c.id).where(person.c.tenant == tenant, person.c.id == person_id)
        was_deleted = sa.and_(person.c.root_id == person.c.id, person.c.gone_at.is_not(None))
        if connection.execute(mine.where(was_deleted, person.c.purged_at.is_(None))).one_or_none() is None:
            raise
    return parts_of(connection, [person_id])


def _find_spots(connection: sa.Connection, parts: Collection[UUID]) -> list[sa.Row[Any]]:
    """Find the faces of a person; of one who was deleted those that they had then, if they are nobody's still."""
    spots = sa.select(face_spot)
    mine = fetch_in_chunks(connection, spots, face_spot.c.person_id, parts)
    lost = spots.join(people_change_spot, people_change_spot.c.spot_id == face_spot.c.id)
    lost = lost.join(people_change, people_change.c.id == people_change_spot.c.change_id)
    lost = lost.where(people_change.c.kind == ChangeKind.DELETE.value, people_change.c.undone_at.is_(None))
    lost = lost.where(face_spot.c.person_id.is_(None))
    return [*mine, *fetch_in_chunks(connection, lost, people_change_spot.c.before_person, parts)]


def _doom_images(connection: sa.Connection, photo_ids: Collection[UUID]) -> None:
    """Delete images that were sent to a collection and have no face left; who removes their points deletes them."""
    columns = (photo.c.id, photo.c.album_id, photo.c.job_id, photo.c.store_uri)
    empty = sa.select(*columns).where(photo.c.face_count == 0)
    images = [
        row
        for row in fetch_in_chunks(connection, empty, photo.c.id, photo_ids)
        if row.job_id == standing_job_id(row.album_id, IMAGES_SOURCE)
    ]
    for row in images:
        one = sa.select(doomed_face.c.face_id).where(doomed_face.c.photo_id == row.id).limit(1).scalar_subquery()
        connection.execute(doomed_face.update().where(doomed_face.c.face_id == one).values(image_uri=row.store_uri))
    delete_photos(connection, [row.id for row in images])


def _forget_person(connection: sa.Connection, tenant: str, parts: Collection[UUID], spot_ids: Sequence[UUID]) -> None:
    """Remove whatever says who somebody is; ids stay, as those of people who were purged: undoing stumbles on them."""
    connection.execute(prediction.delete().where(prediction.c.person_id.in_(parts)))
    connection.execute(not_person.delete().where(not_person.c.person_id.in_(parts)))
    if spot_ids:
        gone = face_spot.delete().where(face_spot.c.id == sa.bindparam("id_"))
        connection.execute(gone, [{"id_": spot_id} for spot_id in spot_ids])
    nobody = {"name": None, "hidden": False, "cover_spot_id": None, "merged_into": None, "root_id": person.c.id}
    forget = person.update().where(person.c.id.in_(parts))
    connection.execute(forget.values(**nobody, gone_at=utc_now(), purged_at=utc_now()))
    # Whoever has learnt the person notices that something changed.
    book = people_book.update().where(people_book.c.tenant == tenant)
    connection.execute(book.values(last_change=people_book.c.last_change + 1))


def _group_anew(connection: sa.Connection, album_ids: Collection[UUID]) -> None:
    """Have what was learnt from their faces about how alike people look learnt again without them."""
    anew = {"wanted_at": utc_now(), "limits": sa.null(), "attempt": 0, "dispatched_at": None}
    connection.execute(clustering.update().where(clustering.c.album_id.in_(album_ids)).values(**anew))


def _is_waiting(connection: sa.Connection, person_id: UUID) -> bool:
    waiting = sa.select(doomed_face.c.face_id).where(doomed_face.c.person_id == person_id).limit(1)
    return connection.execute(waiting).one_or_none() is not None
