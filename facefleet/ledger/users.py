"""Users of collections: people as a caller names them, and which faces are theirs."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from facefleet.ledger.collection_schema import collection_user, user_face
from facefleet.ledger.database import Database, insert_or_ignore
from facefleet.ledger.jobs import hold_album
from facefleet.ledger.schema import face


@dataclass(frozen=True)
class Users:
    """What the ledger knows about users. Whoever adds faces to a user holds its row, so that limits are kept."""

    database: Database

    def create(self, album_id: UUID, user_id: str) -> bool:
        """Enter a user; returns whether it is new.

        Raises:
            AlbumNotFound: the album is gone.
        """
        row = {"album_id": album_id, "user_id": user_id}
        with self.database.writing() as connection:
            hold_album(connection, album_id)
            new = insert_or_ignore(connection, collection_user).values(row)
            return connection.execute(new.returning(collection_user.c.user_id)).one_or_none() is not None

    def delete(self, album_id: UUID, user_id: str) -> bool:
        """Remove a user; its faces stay, as nobody's. Returns whether there was one."""
        with self.database.writing() as connection:
            return connection.execute(collection_user.delete().where(*_is(album_id, user_id))).rowcount > 0

    def exists(self, album_id: UUID, user_id: str) -> bool:
        """Tell whether there is such a user."""
        with self.database.reading() as connection:
            found = sa.select(collection_user.c.user_id).where(*_is(album_id, user_id))
            return connection.execute(found).one_or_none() is not None

    def page(self, album_id: UUID, limit: int, after: str | None) -> list[tuple[str, bool]]:
        """List one page of an album's users by id, each with whether it has faces.

        Args:
            album_id: whose users.
            limit: at most this many.
            after: the page begins behind this id, whether there is such a user or not.
        """
        has_faces = sa.select(user_face.c.face_id).where(
            user_face.c.album_id == collection_user.c.album_id, user_face.c.user_id == collection_user.c.user_id
        )
        users = sa.select(collection_user.c.user_id, has_faces.exists().label("has_faces"))
        users = users.where(collection_user.c.album_id == album_id)
        if after is not None:
            users = users.where(collection_user.c.user_id > after)
        with self.database.reading() as connection:
            rows = connection.execute(users.order_by(collection_user.c.user_id).limit(limit))
            return [(row.user_id, row.has_faces) for row in rows]

    def count(self, album_id: UUID) -> int:
        """Count an album's users."""
        counted = sa.select(sa.func.count()).where(collection_user.c.album_id == album_id)
        with self.database.reading() as connection:
            return connection.execute(counted).scalar_one()

    def faces_of(self, album_id: UUID, user_ids: Collection[str]) -> dict[str, list[UUID]]:
        """List the faces of users; users without one are left out, and so are faces that are gone."""
        theirs = (
            sa.select(user_face.c.user_id, user_face.c.face_id)
            .join(face, face.c.id == user_face.c.face_id)
            .where(user_face.c.album_id == album_id, user_face.c.user_id.in_(user_ids))
            .order_by(user_face.c.face_id)
        )
        faces: dict[str, list[UUID]] = {}
        with self.database.reading() as connection:
            for row in connection.execute(theirs):
                faces.setdefault(row.user_id, []).append(row.face_id)
        return faces

    def associate(self, album_id: UUID, user_id: str, face_ids: Collection[UUID], most: int) -> set[UUID] | None:
        """Give faces to a user; those that are another user's stay there.

        Args:
            album_id: whose user.
            user_id: has to exist.
            face_ids: faces of the album.
            most: faces that a user may have.

        Returns:
            Which of the faces are the user's now; None, and nothing is written, when it would have too many, or when
            there is no such user (any more).
        """
        rows = [{"face_id": face_id, "album_id": album_id, "user_id": user_id} for face_id in sorted(face_ids)]
        mine = sa.select(user_face.c.face_id).where(user_face.c.album_id == album_id, user_face.c.user_id == user_id)
        with self.database.writing() as connection:
            user = sa.select(collection_user.c.user_id).where(*_is(album_id, user_id)).with_for_update()
            if connection.execute(user).one_or_none() is None:
                return None
            had = set(connection.execute(mine).scalars())
            if len(had | set(face_ids)) > most:
                return None
            if rows:
                connection.execute(insert_or_ignore(connection, user_face), rows)
            return set(connection.execute(mine).scalars()) & set(face_ids)

    def disassociate(self, album_id: UUID, user_id: str, face_ids: Collection[UUID]) -> set[UUID]:
        """Take faces from a user; returns those that were its own."""
        theirs = user_face.delete().where(
            user_face.c.album_id == album_id, user_face.c.user_id == user_id, user_face.c.face_id.in_(face_ids)
        )
        with self.database.writing() as connection:
            return set(connection.execute(theirs.returning(user_face.c.face_id)).scalars())


def _is(album_id: UUID, user_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return collection_user.c.album_id == album_id, collection_user.c.user_id == user_id
