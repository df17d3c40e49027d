"""Tags of albums: names and values that only their owner understands."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from facefleet.ledger.collection_schema import album_tag
from facefleet.ledger.database import Database, insert_into
from facefleet.ledger.jobs import hold_album


@dataclass(frozen=True)
class Tags:
    """What the ledger knows about tags."""

    database: Database

    def put(self, album_id: UUID, tags: Mapping[str, str], most: int) -> bool:
        """Add tags, replacing values of the same name; all, or none where the album would have more than `most`.

        Returns:
            Whether they were added.

        Raises:
            AlbumNotFound: the album is gone.
        """
        rows = [{"album_id": album_id, "name": name, "value": value} for name, value in sorted(tags.items())]
        with self.database.writing() as connection:
            hold_album(connection, album_id)
            names = connection.execute(sa.select(album_tag.c.name).where(album_tag.c.album_id == album_id)).scalars()
            if len(set(names) | tags.keys()) > most:
                return False
            if rows:
                insert = insert_into(connection, album_tag)
                keys = [album_tag.c.album_id, album_tag.c.name]
                put = insert.on_conflict_do_update(index_elements=keys, set_={"value": insert.excluded.value})
                connection.execute(put, rows)
            return True

    def remove(self, album_id: UUID, names: Collection[str]) -> None:
        """Remove tags; those that the album does not have are no error."""
        mine = sa.and_(album_tag.c.album_id == album_id, album_tag.c.name.in_(names))
        with self.database.writing() as connection:
            connection.execute(album_tag.delete().where(mine))

    def of(self, album_id: UUID) -> dict[str, str]:
        """List an album's tags."""
        tags = sa.select(album_tag.c.name, album_tag.c.value).where(album_tag.c.album_id == album_id)
        with self.database.reading() as connection:
            return {row.name: row.value for row in connection.execute(tags.order_by(album_tag.c.name))}
