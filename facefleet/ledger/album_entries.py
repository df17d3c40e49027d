"""Rows of an album that come out of a file. What is there already stays as it is, so twice is once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

import sqlalchemy as sa

from facefleet.face_records import Box
from facefleet.ledger.clusterings import mark_unseen
from facefleet.ledger.collection_schema import dropped_face
from facefleet.ledger.database import Database, insert_or_ignore
from facefleet.ledger.jobs import ensure_job, hold_album
from facefleet.ledger.listing import photo_row, source_id_of
from facefleet.ledger.people_history import EXISTS, Draft, enter_change, hold_book
from facefleet.ledger.people_schema import face_spot, not_person, person
from facefleet.ledger.persons import check_person_name
from facefleet.ledger.schema import face, photo, state_is
from facefleet.ledger.spots import fetch_in_chunks, relink
from facefleet.ledger.unkept import drop_unkept
from facefleet.people_records import ChangeKind
from facefleet.records import PhotoRef, PhotoState, face_id_of, photo_id_of

#: `source` of the jobs that enter photos out of album files.
IMPORTS_SOURCE = "imports:"
_IS_PRESENT = state_is(photo.c.state, *(state for state in PhotoState if state != PhotoState.DELETED))


@dataclass(frozen=True, slots=True)
class FiledPhoto:
    """A photo that was indexed elsewhere, with the model of this installation."""

    ref: PhotoRef
    width_px: int
    height_px: int
    taken_at: datetime | None
    #: Columns of `face` but for its ids.
    faces: Sequence[Mapping[str, Any]]
    #: Numbers of faces that are not to be kept.
    dropped: Sequence[int]


@dataclass(frozen=True, slots=True)
class FiledPerson:
    """Somebody, under the name that the file has for them."""

    id: UUID
    name: str | None
    hidden: bool
    #: Who it is after all merges; None: itself.
    root_id: UUID | None
    cover_spot_id: UUID | None
    #: Whether a human had a hand in it.
    is_held: bool


@dataclass(frozen=True, slots=True)
class FiledSpot:
    """Where somebody's face is; people are named as in this ledger."""

    id: UUID
    uri: str
    #: In fractions of the photo.
    box: Box
    person_id: UUID | None
    is_decided: bool
    not_people: Sequence[UUID] = field(default_factory=tuple)


@dataclass(frozen=True)
class AlbumEntries:
    """Enters what a file says; the caller has checked it."""

    database: Database

    def job(self, album_id: UUID) -> UUID:
        """Name the album's job for photos out of files.

        Raises:
            AlbumNotFound: there is no such album (any more).
        """
        with self.database.writing() as connection:
            hold_album(connection, album_id)
            return ensure_job(connection, album_id, IMPORTS_SOURCE)

    def unknown(self, album_id: UUID, uris: Sequence[str]) -> set[str]:
        """Choose the places of which the album has no photo, in any version."""
        sources = {source_id_of(album_id, uri): uri for uri in uris}
        with self.database.reading() as connection:
            known = fetch_in_chunks(
                connection, sa.select(photo.c.source_id).where(_IS_PRESENT), photo.c.source_id, sources
            )
        return set(uris) - {sources[row.source_id] for row in known}

    def enter_photos(self, job_id: UUID, album_id: UUID, model_version: str, photos: Sequence[FiledPhoto]) -> int:
        """Enter indexed photos with their faces, whose points are in the gallery; returns how many are new.

        Raises:
            AlbumNotFound: there is no such album (any more).
        """
        ids = [photo_id_of(album_id, each.ref.uri, each.ref.version, model_version) for each in photos]
        rows = [
            photo_row(each.ref, album_id, model_version)
            | {"width_px": each.width_px, "height_px": each.height_px, "taken_at": each.taken_at}
            | {"face_count": len(each.faces)}
            for each in photos
        ]
        with self.database.writing() as connection:
            hold_album(connection, album_id)
            insert = insert_or_ignore(connection, photo).values(job_id=job_id, state=PhotoState.INDEXED.value)
            entered = set(connection.execute(insert.returning(photo.c.id), rows).scalars()) if rows else set()
            new = [(photo_id, each) for photo_id, each in zip(ids, photos, strict=True) if photo_id in entered]
            faces = [
                {**columns, "id": face_id_of(photo_id, columns["number"]), "photo_id": photo_id, "album_id": album_id}
                for photo_id, each in new
                for columns in each.faces
            ]
            dropped = [
                {"photo_id": photo_id, "face_id": face_id_of(photo_id, number)}
                for photo_id, each in new
                for number in each.dropped
            ]
            if faces:
                connection.execute(face.insert(), faces)
                drop_unkept(connection, entered)
                mark_unseen(connection, {row["photo_id"] for row in faces})
            if dropped:
                connection.execute(insert_or_ignore(connection, dropped_face), dropped)
        return len(new)

    def enter_people(self, tenant: str, album_id: UUID, people: Sequence[FiledPerson]) -> dict[UUID, UUID]:
        """Enter people and say who they are here: {id in the file: id here}.

        Somebody whom the tenant has is the same person and stays as they are here. Whoever is new and was in a human's
        hands has a change in the history that says so, and can be undone.

        Raises:
            InvalidRequest: a name is not acceptable.
        """
        with self.database.writing() as connection:
            hold_book(connection, tenant)
            known = _find_people(connection, tenant, people)
            new = [each for each in people if each.id not in known]
            fresh = _name_people(connection, tenant, new)
            rows = [_person_row(tenant, album_id, each, fresh[each.id]) for each in new]
            if rows:
                connection.execute(person.insert(), rows)
            for each in new:
                if each.is_held:
                    made = {(fresh[each.id], EXISTS): (False, True)}
                    enter_change(connection, tenant, Draft(ChangeKind.CREATE, fresh[each.id], fields=made))
            for each in new:
                _merge(connection, tenant, each, known | fresh)
        return known | fresh

    def enter_spots(self, album_id: UUID, tenant: str, model_version: str, spots: Sequence[FiledSpot]) -> int:
        """Enter places of faces, and let them find the faces that are there now; returns how many are new.

        Raises:
            AlbumNotFound: there is no such album (any more).
        """
        rows = [
            {
                "id": spot_id_of(album_id, spot.id),
                "album_id": album_id,
                "source_id": source_id_of(album_id, spot.uri),
                **{side: getattr(spot.box, side) for side in "xywh"},
                "person_id": spot.person_id,
                "is_decided": spot.is_decided,
            }
            for spot in spots
        ]
        if not rows:
            return 0
        with self.database.writing() as connection:
            hold_album(connection, album_id)
            hold_book(connection, tenant)
            insert = insert_or_ignore(connection, face_spot).returning(face_spot.c.id)
            new = set(connection.execute(insert, rows).scalars())
            said = [
                {"spot_id": spot_id_of(album_id, spot.id), "person_id": person_id}
                for spot in spots
                for person_id in spot.not_people
                if spot_id_of(album_id, spot.id) in new
            ]
            if said:
                connection.execute(insert_or_ignore(connection, not_person), said)
            relink(connection, model_version, {row["source_id"] for row in rows})
        return len(new)


def spot_id_of(album_id: UUID, filed_id: UUID) -> UUID:
    """Name a spot out of a file: the same one twice is the same row, and two albums do not share it."""
    return uuid5(album_id, str(filed_id))


def _find_people(connection: sa.Connection, tenant: str, people: Sequence[FiledPerson]) -> dict[UUID, UUID]:
    """Find those whom the tenant has, under their own id or the one that an earlier import gave them."""
    root = person.alias("root")
    there = sa.select(person.c.id, person.c.root_id).join(root, root.c.id == person.c.root_id)
    there = there.where(person.c.tenant == tenant, root.c.gone_at.is_(None))
    ids = {candidate: each.id for each in people for candidate in (_second_id(tenant, each.id), each.id)}
    rows = fetch_in_chunks(connection, there, person.c.id, ids)
    return {ids[row.id]: row.root_id for row in rows}


def _second_id(tenant: str, person_id: UUID) -> UUID:
    return uuid5(person_id, tenant)


def _name_people(connection: sa.Connection, tenant: str, people: Sequence[FiledPerson]) -> dict[UUID, UUID]:
    """Choose ids for new people: their own unless somebody has it (of another tenant, or who was deleted)."""
    candidates = defaultdict(list)
    for each in people:
        candidates[each.id] = [each.id, _second_id(tenant, each.id), uuid4()]
    asked = [each for ids in candidates.values() for each in ids]
    taken = {row.id for row in fetch_in_chunks(connection, sa.select(person.c.id), person.c.id, asked)}
    return {filed_id: next(each for each in ids if each not in taken) for filed_id, ids in candidates.items()}


def _person_row(tenant: str, album_id: UUID, filed: FiledPerson, person_id: UUID) -> dict[str, Any]:
    return {
        "id": person_id,
        "root_id": person_id,
        "tenant": tenant,
        "name": None if filed.name is None else check_person_name(filed.name),
        "hidden": filed.hidden,
        "cover_spot_id": None if filed.cover_spot_id is None else spot_id_of(album_id, filed.cover_spot_id),
    }


def _merge(connection: sa.Connection, tenant: str, filed: FiledPerson, ids: Mapping[UUID, UUID]) -> None:
    """Merge a new person into who it is after all merges, with a row of history."""
    mine = ids[filed.id]
    if filed.root_id is not None and (root_id := ids[filed.root_id]) != mine:
        connection.execute(person.update().where(person.c.id == mine).values(merged_into=root_id, root_id=root_id))
        merged = {(mine, "merged_into"): (None, root_id)}
        enter_change(connection, tenant, Draft(ChangeKind.MERGE, root_id, mine, merged))
