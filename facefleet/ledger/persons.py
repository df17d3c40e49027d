"""Rows of people: who is there, who is who after all merges, and which changes concern whom."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from facefleet.errors import InvalidRequest, PersonNotFound
from facefleet.ledger.database import CHUNK
from facefleet.ledger.people_schema import face_spot, people_change, people_change_spot, person
from facefleet.names import NAME_MAX_CHARS, is_name


def check_person_name(name: str) -> str:
    """Refuse names that a terminal cannot carry; returns the name without blanks around it.

    Raises:
        InvalidRequest: what a person's name is made of.
    """
    stripped = name.strip()
    if len(stripped) > NAME_MAX_CHARS or not is_name(stripped):
        raise InvalidRequest(f"a person's name is 1-{NAME_MAX_CHARS} printable characters, not {name!r}")
    return stripped


def find_person(connection: sa.Connection, tenant: str, person_id: UUID) -> sa.Row[Any]:
    """Find somebody who is there.

    Raises:
        PersonNotFound: there is no such person (any more); the sentence says what became of it.
    """
    row = connection.execute(sa.select(person).where(person.c.tenant == tenant, person.c.id == person_id)).one_or_none()
    if row is None:
        raise PersonNotFound(f"there is no person {person_id}")
    if row.root_id != row.id:
        raise PersonNotFound(f"person {person_id} was merged into {row.root_id}")
    _refuse_purged(person_id, row.purged_at)
    if row.gone_at is not None:
        raise PersonNotFound(f"person {person_id} was deleted")
    if row.name is None and not connection.execute(sa.select(has_spots(person_id))).scalar():
        raise PersonNotFound(f"person {person_id} has neither a name nor a face (any more)")
    return row


def _refuse_purged(person_id: UUID, purged_at: datetime | None) -> None:
    if purged_at is not None:
        raise PersonNotFound(f"person {person_id} was purged; that cannot be undone")


def has_spots(person_id: UUID) -> sa.ColumnElement[bool]:
    """Whether somebody, or one of those merged into it, has a face."""
    parts = sa.select(person.c.id).where(person.c.root_id == person_id)
    return sa.select(face_spot.c.id).where(face_spot.c.person_id.in_(parts)).exists()


def parts_of(connection: sa.Connection, person_ids: Collection[UUID]) -> set[UUID]:
    """Name everybody who is one of these people after all merges."""
    return set(connection.execute(sa.select(person.c.id).where(person.c.root_id.in_(person_ids))).scalars())


def concerns(connection: sa.Connection, tenant: str, person_id: UUID) -> sa.ColumnElement[bool]:
    """Select the changes of a person and of all who were merged into it.

    Raises:
        PersonNotFound: there never was such a person, or it was purged.
    """
    mine = sa.select(person.c.id, person.c.purged_at).where(person.c.tenant == tenant, person.c.id == person_id)
    row = connection.execute(mine).one_or_none()
    if row is None:
        raise PersonNotFound(f"there is no person {person_id}")
    _refuse_purged(person_id, row.purged_at)
    everybody = parts_of(connection, [person_id]) | {person_id}
    return sa.or_(people_change.c.person_id.in_(everybody), people_change.c.other_id.in_(everybody))


def add_person(connection: sa.Connection, tenant: str, name: str | None) -> UUID:
    """Enter a person; the name is as a human typed it."""
    new_id = uuid4()
    checked = None if name is None else check_person_name(name)
    connection.execute(person.insert().values(id=new_id, root_id=new_id, tenant=tenant, name=checked, hidden=False))
    return new_id


def set_root(connection: sa.Connection, person_id: UUID, root_id: UUID) -> None:
    """Say who a person, and everybody who was merged into it, is."""
    row = [person_id]
    while row:
        connection.execute(person.update().where(person.c.id.in_(row)).values(root_id=root_id))
        row = list(connection.execute(sa.select(person.c.id).where(person.c.merged_into.in_(row))).scalars())


def forget_dissolved(connection: sa.Connection, tenant: str) -> None:
    """Remove people that groupings made and dissolved: nobody ever said a word about them."""
    said = sa.or_(people_change.c.person_id == person.c.id, people_change.c.other_id == person.c.id)
    unsaid = ~sa.select(people_change.c.id).where(said).exists()
    connection.execute(person.delete().where(_has_nothing(tenant), person.c.gone_at.is_(None), unsaid))


def forget_nobodies(connection: sa.Connection, tenant: str) -> None:
    """Remove people of whom nothing is left after an album went, with what the history says about them."""
    nothing = sa.select(person.c.id).where(_has_nothing(tenant)).limit(CHUNK)
    while gone := list(connection.execute(nothing).scalars()):
        of_them = sa.or_(people_change.c.person_id.in_(gone), people_change.c.other_id.in_(gone))
        connection.execute(people_change.delete().where(of_them))
        connection.execute(person.delete().where(person.c.id.in_(gone)))


def _has_nothing(tenant: str) -> sa.ColumnElement[bool]:
    """Whether somebody has no face and no name, or was deleted, and no change could bring a face back."""
    part = person.alias("part")
    back = people_change_spot.c.before_person == person.c.id
    return sa.and_(
        person.c.tenant == tenant,
        sa.or_(person.c.name.is_(None), person.c.gone_at.is_not(None)),
        ~sa.select(face_spot.c.id).where(face_spot.c.person_id == person.c.id).exists(),
        ~sa.select(people_change_spot.c.spot_id).where(back).exists(),
        ~sa.select(part.c.id).where(part.c.merged_into == person.c.id).exists(),
    )
