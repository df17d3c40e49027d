"""Where people are: their faces, their photos, and who is there with them."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.errors import InvalidRequest, PhotoNotFound
from facefleet.ledger.database import Database
from facefleet.ledger.faces import face_of, select_faces
from facefleet.ledger.people import Scope
from facefleet.ledger.people_schema import face_spot, person
from facefleet.ledger.persons import find_person
from facefleet.ledger.schema import album, face, photo, state_is
from facefleet.people_records import Companion, PersonFace, PersonPhoto, PhotoFace
from facefleet.records import PhotoState

_ROOT = person.alias("root")
_IS_INDEXED = state_is(photo.c.state, PhotoState.INDEXED)
#: Photos of which it is not known when they were taken come last.
_TAKEN_AT = sa.func.coalesce(photo.c.taken_at, sa.literal(datetime.fromisoformat("9999-12-31"), sa.DateTime))
_IN_TIME = (_TAKEN_AT, photo.c.sort_name, photo.c.id)


@dataclass(frozen=True)
class Appearances:
    """What the ledger knows about where people are. Pages stay right whatever comes and goes."""

    database: Database

    def faces(self, scope: Scope, person_id: UUID | None, limit: int, after: UUID | None) -> list[PersonFace]:
        """List one page of faces that are somebody's.

        Args:
            scope: whose people, and which of their faces count.
            person_id: faces of this person; None: of everybody.
            limit: at most this many.
            after: the last face of the page before.

        Raises:
            PersonNotFound: there is no such person (any more).
        """
        statement = _join_people(select_faces()).where(scope.faces(), _ROOT.c.tenant == scope.tenant)
        statement = statement.add_columns(_ROOT.c.id.label("person_id"), face_spot.c.is_decided)
        statement = statement.join(album, album.c.id == face.c.album_id).add_columns(album.c.name.label("album_name"))
        statement = statement.where(_ROOT.c.gone_at.is_(None), album.c.deleting_since.is_(None))
        if not scope.with_hidden:
            statement = statement.where(_ROOT.c.hidden.is_(False))
        if after is not None:
            statement = statement.where(face.c.id > after)
        if scope.album_id is not None:
            # Implied by the spot's album, but only so the faces are walked in the order of their index.
            statement = statement.where(face.c.album_id == scope.album_id)
        with self.database.reading() as connection:
            if person_id is not None:
                find_person(connection, scope.tenant, person_id)
                statement = statement.where(_ROOT.c.id == person_id)
            rows = connection.execute(statement.order_by(face.c.id).limit(limit))
            return [PersonFace(row.person_id, face_of(row), row.album_name, row.is_decided) for row in rows]

    def photos(self, scope: Scope, person_ids: Collection[UUID], limit: int, after: UUID | None) -> list[PersonPhoto]:
        """List one page of the photos on which all of these people are, by when they were taken, then by name.

        Args:
            scope: whose people, and in which album.
            person_ids: at least one; faces of the first are named.
            limit: at most this many.
            after: the last photo of the page before.

        Raises:
            PersonNotFound: one of them is not there (any more).
            InvalidRequest: `after` is no photo.
        """
        columns = (photo.c.id, photo.c.name, photo.c.taken_at, album.c.name.label("album_name"))
        statement = sa.select(*columns).join(album)
        statement = statement.where(_IS_INDEXED, album.c.tenant == scope.tenant, album.c.deleting_since.is_(None))
        if scope.album_id is not None:
            statement = statement.where(photo.c.album_id == scope.album_id)
        with self.database.reading() as connection:
            for person_id in person_ids:
                find_person(connection, scope.tenant, person_id)
                statement = statement.where(photo.c.id.in_(_photos_of(person_id)))
            if after is not None:
                statement = statement.where(_is_after(connection, after))
            rows = connection.execute(statement.order_by(*_IN_TIME).limit(limit)).all()
            faces = _faces_on(connection, next(iter(person_ids)), [row.id for row in rows])
        return [PersonPhoto(row.id, row.name, row.album_name, tuple(faces[row.id]), row.taken_at) for row in rows]

    def companions(self, tenant: str, person_id: UUID, limit: int) -> list[Companion]:
        """List who is on the same photos, most often first.

        Raises:
            PersonNotFound: there is no such person (any more).
        """
        photos = sa.func.count(sa.distinct(face.c.photo_id))
        columns = (_ROOT.c.id, _ROOT.c.name, _ROOT.c.hidden)
        others = _join_people(sa.select(*columns, photos.label("photos")).select_from(face))
        others = others.where(face.c.photo_id.in_(_photos_of(person_id)), _ROOT.c.id != person_id)
        others = others.where(_ROOT.c.gone_at.is_(None), _ROOT.c.tenant == tenant)
        with self.database.reading() as connection:
            find_person(connection, tenant, person_id)
            grouped = others.group_by(*columns).order_by(photos.desc(), _ROOT.c.id).limit(limit)
            return [Companion(*row) for row in connection.execute(grouped)]

    def on_photo(self, tenant: str, photo_id: UUID) -> list[PhotoFace]:
        """List the faces of a photo, and whose they are.

        Raises:
            PhotoNotFound: the tenant has no such indexed photo.
        """
        mine = sa.select(photo.c.id).join(album).where(photo.c.id == photo_id, _IS_INDEXED, album.c.tenant == tenant)
        faces = (
            select_faces()
            .add_columns(_ROOT.c.id.label("person_id"), _ROOT.c.name.label("person_name"), face_spot.c.is_decided)
            .outerjoin(face_spot, face_spot.c.face_id == face.c.id)
            .outerjoin(person, person.c.id == face_spot.c.person_id)
            .outerjoin(_ROOT, sa.and_(_ROOT.c.id == person.c.root_id, _ROOT.c.gone_at.is_(None)))
            .where(face.c.photo_id == photo_id)
            .order_by(face.c.number)
        )
        with self.database.reading() as connection:
            if connection.execute(mine.where(album.c.deleting_since.is_(None))).one_or_none() is None:
                raise PhotoNotFound("there is no such indexed photo (any more)")
            rows = connection.execute(faces)
            return [PhotoFace(face_of(row), row.person_id, row.person_name, bool(row.is_decided)) for row in rows]


def _join_people(statement: sa.Select[Any]) -> sa.Select[Any]:
    """Join faces with whose they are after all merges."""
    return (
        statement.join(face_spot, face_spot.c.face_id == face.c.id)
        .join(person, person.c.id == face_spot.c.person_id)
        .join(_ROOT, _ROOT.c.id == person.c.root_id)
    )


def _photos_of(person_id: UUID) -> sa.Select[Any]:
    part, spot, theirs = person.alias(), face_spot.alias(), face.alias()
    return (
        sa.select(theirs.c.photo_id)
        .join(spot, spot.c.face_id == theirs.c.id)
        .join(part, part.c.id == spot.c.person_id)
        .where(part.c.root_id == person_id)
    )


def _is_after(connection: sa.Connection, photo_id: UUID) -> sa.ColumnElement[bool]:
    last = connection.execute(sa.select(*_IN_TIME).where(photo.c.id == photo_id)).one_or_none()
    if last is None:
        raise InvalidRequest(f"there is no photo {photo_id}; begin at the first page")
    return sa.tuple_(*_IN_TIME) > sa.tuple_(*last)


def _faces_on(connection: sa.Connection, person_id: UUID, photo_ids: Sequence[UUID]) -> defaultdict[UUID, list[UUID]]:
    faces = _join_people(sa.select(face.c.photo_id, face.c.id).select_from(face))
    mine = faces.where(_ROOT.c.id == person_id, face.c.photo_id.in_(photo_ids)).order_by(face.c.number)
    found: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for row in connection.execute(mine):
        found[row.photo_id].append(row.id)
    return found
