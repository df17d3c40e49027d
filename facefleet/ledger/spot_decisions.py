"""What is said about single faces: whose they are for good, and whose they are not."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from facefleet.ledger.database import insert_or_ignore
from facefleet.ledger.people_history import SpotBefore
from facefleet.ledger.people_schema import face_spot, not_person, person
from facefleet.ledger.persons import parts_of
from facefleet.ledger.spots import ensure_spots, fetch_in_chunks


def read_spots(connection: sa.Connection, tenant: str, face_ids: Sequence[UUID]) -> list[SpotBefore]:
    """Read what the spots of these faces are now; those that are missing are made.

    Raises:
        FaceNotFound: one of them is no face of the tenant (any more).
    """
    spot_ids = ensure_spots(connection, tenant, list(dict.fromkeys(face_ids))).values()
    columns = sa.select(face_spot.c.id, face_spot.c.person_id, face_spot.c.is_decided)
    rows = fetch_in_chunks(connection, columns, face_spot.c.id, spot_ids)
    return [SpotBefore(row.id, row.person_id, row.is_decided) for row in rows]


def read_contradicting(connection: sa.Connection, one_id: UUID, other_id: UUID) -> list[SpotBefore]:
    """Read faces of two people, given by a grouping, that a human said are not the other's."""
    one, other = parts_of(connection, [one_id]), parts_of(connection, [other_id])
    spots = sa.select(face_spot.c.id, face_spot.c.person_id, face_spot.c.is_decided).distinct()
    said = spots.join(not_person, not_person.c.spot_id == face_spot.c.id).where(face_spot.c.is_decided.is_(False))
    ones_not_others = sa.and_(face_spot.c.person_id.in_(one), not_person.c.person_id.in_(other))
    others_not_ones = sa.and_(face_spot.c.person_id.in_(other), not_person.c.person_id.in_(one))
    return [SpotBefore(*row) for row in connection.execute(said.where(sa.or_(ones_not_others, others_not_ones)))]


def roots_of(connection: sa.Connection, person_id: UUID | None) -> set[UUID]:
    """Name a person and who it is after all merges; nobody for nobody."""
    if person_id is None:
        return set()
    return {person_id, connection.execute(sa.select(person.c.root_id).where(person.c.id == person_id)).scalar_one()}


def say_not(connection: sa.Connection, spot_id: UUID, people: set[UUID]) -> tuple[UUID, ...]:
    """Remember whose face it is not; returns what nobody had said before."""
    new = []
    for person_id in sorted(people):
        said = insert_or_ignore(connection, not_person).values(spot_id=spot_id, person_id=person_id)
        if connection.execute(said.returning(not_person.c.spot_id)).one_or_none():
            new.append(person_id)
    return tuple(new)


def give_spots(connection: sa.Connection, spot_ids: Sequence[UUID], person_id: UUID | None) -> None:
    """Make spots somebody's for good, or nobody's."""
    rows = [{"id_": spot_id} for spot_id in spot_ids]
    if rows:
        give = face_spot.update().where(face_spot.c.id == sa.bindparam("id_"))
        connection.execute(give.values(person_id=person_id, is_decided=person_id is not None), rows)


def confirm_spots(connection: sa.Connection, spot_ids: Sequence[UUID]) -> None:
    """Say that a human agrees with whose these are."""
    if spot_ids:
        confirm = face_spot.update().where(face_spot.c.id == sa.bindparam("id_")).values(is_decided=True)
        connection.execute(confirm, [{"id_": spot_id} for spot_id in spot_ids])
