"""Who there is: people of an album or of a tenant with their counts, and their history."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.errors import InvalidRequest, PersonNotFound
from facefleet.ledger.database import Database
from facefleet.ledger.faces import face_of, select_faces
from facefleet.ledger.people_history import change_of
from facefleet.ledger.people_schema import face_spot, people_change, person
from facefleet.ledger.persons import concerns, find_person
from facefleet.ledger.schema import album, face, photo, state_is
from facefleet.people_records import Change, Person, PersonFace
from facefleet.records import PhotoState

_ROOT = person.alias("root")


@dataclass(frozen=True, slots=True)
class Scope:
    """Of whom is spoken: people of a tenant, with their faces in one album or in all."""

    tenant: str
    album_id: UUID | None = None
    #: Whether hidden people are meant too.
    with_hidden: bool = False
    #: Only people of exactly this name.
    name: str | None = None

    def faces(self) -> sa.ColumnElement[bool]:
        """Select the spots that count."""
        return sa.true() if self.album_id is None else face_spot.c.album_id == self.album_id


@dataclass(frozen=True)
class People:
    """What the ledger knows about people. Those of albums that are being deleted are still counted for a moment."""

    database: Database

    def page(self, scope: Scope, limit: int, after: UUID | None) -> list[Person]:
        """List one page of people, those with most faces first. Of an album: only who has a face in it.

        Args:
            scope: whose people, and which of their faces count.
            limit: at most this many.
            after: the last person of the page before.

        Raises:
            InvalidRequest: `after` is nobody of this list (any more).
        """
        counts = _count(scope).subquery()
        faces = sa.func.coalesce(counts.c.faces, 0)
        statement = _select_people(counts, scope)
        with self.database.reading() as connection:
            if after is not None:
                last = connection.execute(statement.where(_ROOT.c.id == after)).one_or_none()
                if last is None:
                    raise InvalidRequest(f"person {after} is not in this list (any more); begin at the first page")
                later = sa.and_(faces == last.faces, _ROOT.c.id > after)
                statement = statement.where(sa.or_(faces < last.faces, later))
            rows = connection.execute(statement.order_by(faces.desc(), _ROOT.c.id).limit(limit)).all()
            return _people_of(connection, rows, scope)

    def get(self, tenant: str, person_id: UUID) -> Person:
        """Find somebody, with all faces in all albums.

        Raises:
            PersonNotFound: there is no such person (any more).
        """
        scope = Scope(tenant, with_hidden=True)
        counts = _count(scope, person_id).subquery()
        with self.database.reading() as connection:
            find_person(connection, tenant, person_id)
            rows = connection.execute(_select_people(counts, scope).where(_ROOT.c.id == person_id)).all()
            if not rows:
                raise PersonNotFound(f"there is no person {person_id} (any more)")
            return _people_of(connection, rows, scope)[0]

    def mean_qualities(self, album_id: UUID) -> dict[UUID, float]:
        """Average the quality of each person's faces in an album, 0-1."""
        means = sa.select(person.c.root_id, sa.func.avg(face.c.overall))
        means = means.join(face_spot, face_spot.c.person_id == person.c.id).join(face, face.c.id == face_spot.c.face_id)
        with self.database.reading() as connection:
            rows = connection.execute(means.where(face_spot.c.album_id == album_id).group_by(person.c.root_id))
            return {person_id: float(mean) for person_id, mean in rows}

    def history(self, tenant: str, person_id: UUID | None, limit: int, before: UUID | None) -> list[Change]:
        """List one page of changes, newest first.

        Args:
            tenant: whose history.
            person_id: of this person and all who were merged into it; None: of everybody.
            limit: at most this many.
            before: the last change of the page before.

        Raises:
            PersonNotFound: there never was such a person.
        """
        columns = [people_change.c[name] for name in Change.__dataclass_fields__]
        statement = sa.select(*columns).where(people_change.c.tenant == tenant)
        with self.database.reading() as connection:
            if person_id is not None:
                statement = statement.where(concerns(connection, tenant, person_id))
            if before is not None:
                number = sa.select(people_change.c.number).where(people_change.c.id == before)
                statement = statement.where(people_change.c.number < number.scalar_subquery())
            rows = connection.execute(statement.order_by(people_change.c.number.desc()).limit(limit))
            return [change_of(row) for row in rows]


def _count(scope: Scope, person_id: UUID | None = None) -> sa.Select[Any]:
    """Count faces and photos by who they are of after all merges."""
    totals = (sa.func.count().label("faces"), sa.func.count(sa.distinct(face.c.photo_id)).label("photos"))
    counted = sa.select(person.c.root_id, *totals).join(face_spot, face_spot.c.person_id == person.c.id)
    counted = counted.join(face, face.c.id == face_spot.c.face_id).where(person.c.tenant == scope.tenant, scope.faces())
    if person_id is not None:
        counted = counted.where(person.c.root_id == person_id)
    return counted.group_by(person.c.root_id)


def _select_people(counts: sa.Subquery, scope: Scope) -> sa.Select[Any]:
    """Select who is there: with a face that counts or, of a tenant, with a name."""
    columns = (_ROOT.c.id, _ROOT.c.name, _ROOT.c.hidden, _ROOT.c.created_at)
    totals = (sa.func.coalesce(counts.c[name], 0).label(name) for name in ("faces", "photos"))
    of_tenant = sa.or_(counts.c.faces > 0, _ROOT.c.name.is_not(None))
    statement = (
        sa.select(*columns, *totals)
        .outerjoin(counts, counts.c.root_id == _ROOT.c.id)
        .where(_ROOT.c.tenant == scope.tenant, _ROOT.c.root_id == _ROOT.c.id, _ROOT.c.gone_at.is_(None))
        .where(of_tenant if scope.album_id is None else counts.c.faces > 0)
    )
    if not scope.with_hidden:
        statement = statement.where(_ROOT.c.hidden.is_(False))
    return statement if scope.name is None else statement.where(_ROOT.c.name == scope.name)


def _people_of(connection: sa.Connection, rows: Sequence[sa.Row[Any]], scope: Scope) -> list[Person]:
    covers = _find_covers(connection, [row.id for row in rows], scope)
    return [
        Person(row.id, row.name, row.hidden, row.created_at, row.faces, row.photos, covers.get(row.id)) for row in rows
    ]


def _find_covers(connection: sa.Connection, person_ids: Sequence[UUID], scope: Scope) -> dict[UUID, PersonFace]:
    """Find the face that shows each person: the chosen one, else the best."""
    chosen = sa.case((_ROOT.c.cover_spot_id == face_spot.c.id, 1), else_=0)
    rank = sa.func.row_number().over(
        partition_by=_ROOT.c.id, order_by=(chosen.desc(), face.c.overall.desc(), face.c.id)
    )
    ranked = (
        sa.select(_ROOT.c.id.label("person_id"), face.c.id.label("face_id"), rank.label("rank"))
        .join(person, person.c.root_id == _ROOT.c.id)
        .join(face_spot, face_spot.c.person_id == person.c.id)
        .join(face, face.c.id == face_spot.c.face_id)
        .join(photo, photo.c.id == face.c.photo_id)
        .where(_ROOT.c.id.in_(person_ids), scope.faces(), state_is(photo.c.state, PhotoState.INDEXED))
        .subquery()
    )
    columns = (ranked.c.person_id, album.c.name.label("album_name"), face_spot.c.is_decided)
    best = select_faces().add_columns(*columns).join(ranked, sa.and_(ranked.c.face_id == face.c.id, ranked.c.rank == 1))
    best = best.join(album, album.c.id == face.c.album_id).join(face_spot, face_spot.c.face_id == face.c.id)
    return {
        row.person_id: PersonFace(row.person_id, face_of(row), row.album_name, row.is_decided)
        for row in connection.execute(best)
    }
