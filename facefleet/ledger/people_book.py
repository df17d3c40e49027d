"""What humans do to people. Every change is written down, holds over every later grouping, and can be undone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.errors import InvalidRequest
from facefleet.ledger.clock import utc_now
from facefleet.ledger.database import Database
from facefleet.ledger.people_history import (
    EXISTS,
    Draft,
    SpotBefore,
    change_of,
    enter_change,
    find_change,
    hold_book,
    undo_change,
)
from facefleet.ledger.people_schema import face_spot, people_change, person
from facefleet.ledger.persons import add_person, check_person_name, concerns, find_person, parts_of, set_root
from facefleet.ledger.spot_decisions import (
    confirm_spots,
    give_spots,
    read_contradicting,
    read_spots,
    roots_of,
    say_not,
)
from facefleet.ledger.spots import fetch_in_chunks, find_spots
from facefleet.people_records import Change, ChangeKind

#: Which kind of change a field of a person belongs to.
_KIND_OF_FIELD = {"name": ChangeKind.NAME, "hidden": ChangeKind.HIDE, "cover_spot_id": ChangeKind.COVER}


@dataclass(frozen=True)
class PeopleBook:
    """Owns what humans decided about people of a tenant; everybody who writes people takes turns."""

    database: Database

    def edit(self, tenant: str, person_id: UUID, **fields: Any) -> None:  # noqa: ANN401  each has its type
        """Set a person's fields; each that becomes another is a change of its own.

        Args:
            tenant: whose person.
            person_id: a person that was not merged into another.
            fields: `name` (None: no name), `hidden`, `cover_face_id` (one of the person's faces; None: the best one).

        Raises:
            PersonNotFound: there is no such person (any more).
            InvalidRequest: the name is not acceptable, or the face is not the person's.
        """
        if (name := fields.get("name")) is not None:
            fields["name"] = check_person_name(name)
        with self.database.writing() as connection:
            hold_book(connection, tenant)
            row = find_person(connection, tenant, person_id)
            if "cover_face_id" in fields:
                fields["cover_spot_id"] = _find_cover(connection, person_id, fields.pop("cover_face_id"))
            for field, value in fields.items():
                if getattr(row, field) != value:
                    change = {(person_id, field): (getattr(row, field), value)}
                    connection.execute(person.update().where(person.c.id == person_id).values(**{field: value}))
                    enter_change(connection, tenant, Draft(_KIND_OF_FIELD[field], person_id, fields=change))

    def create(self, tenant: str, face_ids: Sequence[UUID], name: str | None) -> UUID:
        """Make a person of faces, whoever they were; returns its id.

        Raises:
            FaceNotFound: one of them is no face (any more).
            InvalidRequest: there is no face, or the name is not acceptable.
        """
        with self.database.writing() as connection:
            hold_book(connection, tenant)
            new_id = add_person(connection, tenant, name)
            draft = Draft(ChangeKind.CREATE, new_id, fields={(new_id, EXISTS): (False, True)})
            self._give(connection, tenant, face_ids, draft, new_id)
        return new_id

    def split(self, tenant: str, person_id: UUID, face_ids: Sequence[UUID], name: str | None) -> UUID:
        """Make a new person of some of a person's faces; returns its id.

        Raises:
            PersonNotFound: there is no such person (any more).
            FaceNotFound: one of them is no face (any more).
            InvalidRequest: a face is not the person's, or none would be left.
        """
        with self.database.writing() as connection:
            hold_book(connection, tenant)
            find_person(connection, tenant, person_id)
            _require_some_left(connection, person_id, face_ids)
            new_id = add_person(connection, tenant, name)
            made = {(new_id, EXISTS): (False, True)}
            draft = Draft(ChangeKind.SPLIT, person_id, new_id, made)
            self._give(connection, tenant, face_ids, draft, new_id)
        return new_id

    def move(self, tenant: str, person_id: UUID, face_ids: Sequence[UUID]) -> None:
        """Say that faces are a person's, whoever had them.

        Raises:
            PersonNotFound: there is no such person (any more).
            FaceNotFound: one of them is no face (any more).
        """
        with self.database.writing() as connection:
            hold_book(connection, tenant)
            find_person(connection, tenant, person_id)
            self._give(connection, tenant, face_ids, Draft(ChangeKind.MOVE, person_id), person_id)

    def reject(self, tenant: str, person_id: UUID, face_ids: Sequence[UUID]) -> None:
        """Say that faces are not a person's.

        Raises:
            PersonNotFound: there is no such person (any more).
            FaceNotFound: one of them is no face (any more).
        """
        with self.database.writing() as connection:
            hold_book(connection, tenant)
            find_person(connection, tenant, person_id)
            _require_faces(face_ids)
            before = read_spots(connection, tenant, face_ids)
            mine = parts_of(connection, [person_id])
            said = []
            for spot in before:
                is_mine = spot.person_id in mine
                people = {person_id, spot.person_id} if is_mine and spot.person_id else {person_id}
                entered = say_not(connection, spot.spot_id, people)
                if is_mine or entered:
                    said.append((replace(spot, not_people=entered), is_mine))
            give_spots(connection, [spot.spot_id for spot, is_mine in said if is_mine], None)
            if said:
                enter_change(connection, tenant, Draft(ChangeKind.NOT, person_id, spots=[spot for spot, _ in said]))

    def merge(self, tenant: str, person_id: UUID, others: Sequence[UUID]) -> None:
        """Say that people are one; it takes the first name that one of them has.

        A face of one of them that a human said is not the other's is nobody's afterwards.

        Raises:
            PersonNotFound: one of them is not there (any more).
            InvalidRequest: a person cannot be merged into itself.
        """
        with self.database.writing() as connection:
            hold_book(connection, tenant)
            name = find_person(connection, tenant, person_id).name
            for other_id in dict.fromkeys(others):
                if other_id == person_id:
                    raise InvalidRequest("a person cannot be merged into itself")
                other = find_person(connection, tenant, other_id)
                fields: dict[tuple[UUID, str], tuple[Any, Any]] = {(other_id, "merged_into"): (None, person_id)}
                if name is None and other.name is not None:
                    name = other.name
                    fields[person_id, "name"] = (None, name)
                    connection.execute(person.update().where(person.c.id == person_id).values(name=name))
                spots = read_contradicting(connection, person_id, other_id)
                give_spots(connection, [spot.spot_id for spot in spots], None)
                connection.execute(person.update().where(person.c.id == other_id).values(merged_into=person_id))
                set_root(connection, other_id, person_id)
                enter_change(connection, tenant, Draft(ChangeKind.MERGE, person_id, other_id, fields, spots))

    def delete(self, tenant: str, person_id: UUID) -> None:
        """Forget a person; its faces are nobody's.

        Raises:
            PersonNotFound: there is no such person (any more).
        """
        with self.database.writing() as connection:
            hold_book(connection, tenant)
            find_person(connection, tenant, person_id)
            mine = sa.select(face_spot.c.id, face_spot.c.person_id, face_spot.c.is_decided)
            parts = parts_of(connection, [person_id])
            rows = fetch_in_chunks(connection, mine, face_spot.c.person_id, parts)
            spots = [SpotBefore(row.id, row.person_id, row.is_decided) for row in rows]
            give_spots(connection, [spot.spot_id for spot in spots], None)
            connection.execute(person.update().where(person.c.id == person_id).values(gone_at=utc_now()))
            gone = {(person_id, "gone_at"): (None, "now")}
            enter_change(connection, tenant, Draft(ChangeKind.DELETE, person_id, fields=gone, spots=spots))

    def undo(self, tenant: str, person_id: UUID, change_id: UUID | None) -> Change:
        """Take a change of a person back: the named one, or the newest that stands.

        Raises:
            PersonNotFound: there never was such a person.
            PeopleConflict: it makes no sense any more, or there is nothing to undo.
        """
        with self.database.writing() as connection:
            hold_book(connection, tenant)
            of_person = concerns(connection, tenant, person_id)
            change = find_change(connection, tenant, of_person, change_id)
            undo_change(connection, tenant, change)
            columns = [people_change.c[name] for name in Change.__dataclass_fields__]
            return change_of(connection.execute(sa.select(*columns).where(people_change.c.id == change.id)).one())

    def _give(
        self, connection: sa.Connection, tenant: str, face_ids: Sequence[UUID], draft: Draft, person_id: UUID
    ) -> None:
        """Make faces a person's for good, and nobody else's; write down what that changes."""
        _require_faces(face_ids)
        mine, given, kept = parts_of(connection, [person_id]), [], []
        for spot in read_spots(connection, tenant, face_ids):
            if spot.person_id in mine:
                if not spot.is_decided:
                    kept.append(spot)
                continue
            roots = roots_of(connection, spot.person_id)
            given.append(replace(spot, not_people=say_not(connection, spot.spot_id, roots)))
        give_spots(connection, [spot.spot_id for spot in given], person_id)
        confirm_spots(connection, [spot.spot_id for spot in kept])
        if given or kept:
            enter_change(connection, tenant, replace(draft, spots=[*given, *kept]))


def _require_faces(face_ids: Sequence[UUID]) -> None:
    if not face_ids:
        raise InvalidRequest("no face is named")


def _require_some_left(connection: sa.Connection, person_id: UUID, face_ids: Sequence[UUID]) -> None:
    """Refuse to split faces off that are not the person's, or all of them."""
    mine = sa.select(face_spot.c.face_id, face_spot.c.id)
    rows = fetch_in_chunks(connection, mine, face_spot.c.person_id, parts_of(connection, [person_id]))
    theirs = {row.face_id for row in rows}
    for face_id in face_ids:
        if face_id not in theirs:
            raise InvalidRequest(f"face {face_id} is not this person's")
    if len(set(face_ids)) == len(rows):
        raise InvalidRequest("these are all of the person's faces: there is nothing to split off")


def _find_cover(connection: sa.Connection, person_id: UUID, face_id: UUID | None) -> UUID | None:
    if face_id is None:
        return None
    spot_id = find_spots(connection, [face_id]).get(face_id)
    owner = sa.select(face_spot.c.person_id).where(face_spot.c.id == spot_id)
    if spot_id is None or connection.execute(owner).scalar() not in parts_of(connection, [person_id]):
        raise InvalidRequest(f"face {face_id} is not this person's")
    return spot_id
