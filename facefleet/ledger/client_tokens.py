"""Requests that may be sent twice: what was answered the first time."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from facefleet.ledger.clock import seconds_from_now
from facefleet.ledger.collection_schema import client_token
from facefleet.ledger.database import Database, insert_or_ignore
from facefleet.ledger.jobs import hold_album
from facefleet.records import Json

#: An SDK that tries again does so within minutes.
_KEPT_S = 8 * 3600.0


@dataclass(frozen=True)
class ClientTokens:
    """Answers by album and token. A token that is used for two requests at once runs both: each is idempotent."""

    database: Database

    def find(self, album_id: UUID, token: str) -> tuple[UUID, Json] | None:
        """Find (the request's name, what was answered) of a token; None when it is new or forgotten."""
        known = sa.select(client_token.c.request, client_token.c.answer).where(
            client_token.c.album_id == album_id,
            client_token.c.token == token,
            client_token.c.created_at > seconds_from_now(-_KEPT_S),
        )
        with self.database.reading() as connection:
            row = connection.execute(known).one_or_none()
        return None if row is None else (row.request, row.answer)

    def keep(self, album_id: UUID, token: str, request: UUID, answer: Json) -> None:
        """Remember an answer, and forget those that nobody asks for any more.

        Args:
            album_id: the token is this album's.
            token: the caller's own.
            request: names operation and request.
            answer: what was answered.

        Raises:
            AlbumNotFound: the album is gone.
        """
        row = {"album_id": album_id, "token": token, "request": request, "answer": answer}
        with self.database.writing() as connection:
            hold_album(connection, album_id)
            forgotten = client_token.delete().where(client_token.c.created_at <= seconds_from_now(-_KEPT_S))
            connection.execute(forgotten)
            connection.execute(insert_or_ignore(connection, client_token).values(row))
