"""The history of people: how a change is written down, and how it is undone.

A change can be undone unless a later one, not undone itself, touched the same face, the same field of a person, or the
person that the change made. Changes that have nothing to do with each other are undone in any order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from facefleet.errors import PeopleConflict
from facefleet.ledger.clock import utc_now
from facefleet.ledger.database import insert_or_ignore
from facefleet.ledger.people_schema import (
    face_spot,
    not_person,
    people_book,
    people_change,
    people_change_spot,
    person,
)
from facefleet.ledger.persons import set_root
from facefleet.ledger.spots import fetch_in_chunks
from facefleet.people_records import Change, ChangeKind

#: A person that the change made.
EXISTS = "exists"
_STANDS = people_change.c.undone_at.is_(None)
_COLUMNS = [people_change.c[name] for name in Change.__dataclass_fields__]


@dataclass(frozen=True, slots=True)
class SpotBefore:
    """What a face was before a change."""

    spot_id: UUID
    person_id: UUID | None
    is_decided: bool
    #: Whose face it is not, as the change says and nobody had said before.
    not_people: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A change that is being made."""

    kind: ChangeKind
    person_id: UUID
    other_id: UUID | None = None
    #: {(person, field): (before, after)}.
    fields: Mapping[tuple[UUID, str], tuple[Any, Any]] = field(default_factory=dict)
    spots: Sequence[SpotBefore] = ()


def hold_book(connection: sa.Connection, tenant: str) -> None:
    """Be the only one who writes people of a tenant until the transaction ends."""
    connection.execute(insert_or_ignore(connection, people_book).values(tenant=tenant, last_change=0))
    connection.execute(sa.select(people_book.c.tenant).where(people_book.c.tenant == tenant).with_for_update())


def enter_change(connection: sa.Connection, tenant: str, draft: Draft) -> None:
    """Write a change down; the caller holds the book and makes the change itself."""
    count = people_book.update().where(people_book.c.tenant == tenant).values(last_change=people_book.c.last_change + 1)
    number = connection.execute(count.returning(people_book.c.last_change)).scalar_one()
    row = {
        "id": uuid4(),
        "tenant": tenant,
        "number": number,
        "kind": draft.kind.value,
        "person_id": draft.person_id,
        "other_id": draft.other_id,
        "fields": {
            f"{whose}.{name}": [_plain(each) for each in values] for (whose, name), values in draft.fields.items()
        },
        "faces": len(draft.spots),
    }
    connection.execute(people_change.insert().values(**row))
    spots = [
        {
            "change_id": row["id"],
            "spot_id": spot.spot_id,
            "before_person": spot.person_id,
            "before_decided": spot.is_decided,
            "not_people": [str(each) for each in spot.not_people],
        }
        for spot in draft.spots
    ]
    if spots:
        connection.execute(people_change_spot.insert(), spots)


def find_change(
    connection: sa.Connection, tenant: str, of_person: sa.ColumnElement[bool], change_id: UUID | None
) -> Change:
    """Find a change that stands: the named one, or the newest.

    Raises:
        PeopleConflict: there is none, or it is undone already.
    """
    found = sa.select(*_COLUMNS).where(people_change.c.tenant == tenant, of_person)
    if change_id is None:
        row = connection.execute(found.where(_STANDS).order_by(people_change.c.number.desc()).limit(1)).one_or_none()
        if row is None:
            raise PeopleConflict("there is nothing (left) to undo")
        return change_of(row)
    row = connection.execute(found.where(people_change.c.id == change_id)).one_or_none()
    if row is None:
        raise PeopleConflict("this person's history has no such change")
    if row.undone_at is not None:
        raise PeopleConflict(f"change {row.number} is undone already")
    return change_of(row)


def change_of(row: sa.Row[Any]) -> Change:
    """Read a row of history."""
    return Change(**{**row._mapping, "kind": ChangeKind(row.kind)})  # noqa: SLF001 - public in spite of its name


def undo_change(connection: sa.Connection, tenant: str, change: Change) -> None:
    """Take a change back; the caller holds the book.

    Raises:
        PeopleConflict: it makes no sense any more; the sentence says which change has to be undone first.
    """
    spots = connection.execute(sa.select(people_change_spot).where(people_change_spot.c.change_id == change.id)).all()
    _refuse_touched(connection, tenant, change)
    coming_back = {UUID(key.partition(".")[0]) for key in change.fields if key.endswith(".gone_at")}
    _refuse_gone(connection, {row.before_person for row in spots if row.before_person}, coming_back)
    _restore_spots(connection, spots)
    for key, (before, _) in change.fields.items():
        whose, _, name = key.partition(".")
        _restore_field(connection, change, UUID(whose), name, before)
    connection.execute(people_change.update().where(people_change.c.id == change.id).values(undone_at=utc_now()))


def _refuse_touched(connection: sa.Connection, tenant: str, change: Change) -> None:
    """Refuse when a later change that stands touched the same."""
    spots = sa.select(people_change_spot.c.spot_id).where(people_change_spot.c.change_id == change.id)
    same_spots = sa.select(people_change_spot.c.change_id).where(people_change_spot.c.spot_id.in_(spots))
    people = {UUID(key.partition(".")[0]) for key in change.fields}
    same_people = sa.or_(people_change.c.person_id.in_(people), people_change.c.other_id.in_(people))
    later = sa.select(*_COLUMNS).where(
        people_change.c.tenant == tenant, people_change.c.number > change.number, _STANDS
    )
    rows = connection.execute(
        later.where(sa.or_(people_change.c.id.in_(same_spots), same_people)).order_by(people_change.c.number.desc())
    ).all()
    made = {key.partition(".")[0] for key in change.fields if key.endswith(f".{EXISTS}")}
    on_spots = set(connection.execute(same_spots).scalars())
    for row in rows:
        concerned = {str(row.person_id), str(row.other_id)}
        if row.id in on_spots or made & concerned or _fields_clash(change.fields, row.fields):
            raise PeopleConflict(f"change {row.number} ({row.kind}) was made on top of it since: undo that first")


def _fields_clash(mine: Mapping[str, Any], later: Mapping[str, Any]) -> bool:
    """Whether a later change set the same field, or let one of the same people go."""
    gone = {key.partition(".")[0] for key in later if key.endswith((".gone_at", ".merged_into"))}
    return bool(mine.keys() & later.keys()) or bool(gone & {key.partition(".")[0] for key in mine})


def _refuse_gone(connection: sa.Connection, person_ids: set[UUID], coming_back: set[UUID]) -> None:
    """Refuse to give faces back to somebody who was deleted, unless this very undoing brings them back."""
    root = person.alias("root")
    owners = sa.select(root.c.id, root.c.gone_at, root.c.purged_at).join(person, person.c.root_id == root.c.id)
    rows = fetch_in_chunks(connection, owners, person.c.id, person_ids)
    if any(row.purged_at is not None for row in rows):
        raise PeopleConflict("its faces would go back to a person who was purged since: it cannot be undone any more")
    if any(row.gone_at is not None and row.id not in coming_back for row in rows):
        raise PeopleConflict("its faces would go back to a person who was deleted since: undo that first")


def _restore_spots(connection: sa.Connection, spots: Sequence[sa.Row[Any]]) -> None:
    if not spots:
        return
    known = {
        row.id
        for row in fetch_in_chunks(
            connection, sa.select(person.c.id), person.c.id, {s.before_person for s in spots if s.before_person}
        )
    }
    rows = [
        {
            "id_": spot.spot_id,
            "person_id_": spot.before_person if spot.before_person in known else None,
            "is_decided_": spot.before_decided and spot.before_person in known,
        }
        for spot in spots
    ]
    restore = face_spot.update().where(face_spot.c.id == sa.bindparam("id_"))
    before = restore.values(person_id=sa.bindparam("person_id_"), is_decided=sa.bindparam("is_decided_"))
    connection.execute(before, rows)
    said = [{"spot_id_": spot.spot_id, "person_id_": UUID(each)} for spot in spots for each in spot.not_people]
    if said:
        is_said = sa.and_(
            not_person.c.spot_id == sa.bindparam("spot_id_"), not_person.c.person_id == sa.bindparam("person_id_")
        )
        connection.execute(not_person.delete().where(is_said), said)


def _restore_field(connection: sa.Connection, change: Change, whose: UUID, name: str, before: Any) -> None:  # noqa: ANN401  JSON
    mine = person.update().where(person.c.id == whose)
    if name == EXISTS:
        # Faces that a grouping gave to the person since go where it came from.
        back = change.person_id if change.other_id == whose else None
        connection.execute(face_spot.update().where(face_spot.c.person_id == whose).values(person_id=back))
        connection.execute(mine.values(gone_at=utc_now()))
    elif name == "merged_into":
        connection.execute(mine.values(merged_into=None))
        set_root(connection, whose, whose)
    elif name == "gone_at":
        connection.execute(mine.values(gone_at=None))
    else:
        value = UUID(before) if name == "cover_spot_id" and before else before
        connection.execute(mine.values(**{name: value}))


def _plain(value: Any) -> Any:  # noqa: ANN401  JSON
    return str(value) if isinstance(value, UUID) else value
