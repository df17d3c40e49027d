"""Albums: their names, their counts, and how they go."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from facefleet.errors import AlbumExists, AlbumNotFound, InvalidRequest
from facefleet.ledger.audit import BY_ITSELF, Audit, AuditEntry
from facefleet.ledger.clock import utc_now
from facefleet.ledger.database import CHUNK, Database, insert_or_ignore
from facefleet.ledger.people_history import hold_book
from facefleet.ledger.people_schema import face_spot, unseen_photo
from facefleet.ledger.persons import forget_nobodies
from facefleet.ledger.prediction_schema import unpredicted_photo
from facefleet.ledger.schema import album, face, job, job_photo, photo, state_is, urgent_photo
from facefleet.names import NAME_MAX_CHARS, is_album_name
from facefleet.records import DEFAULT_TENANT, Album, AlbumSummary, JobState, PhotoState

#: Built once: almost every request asks, and building it takes as long as running it.
_SELECT_NAMED = sa.select(album).where(
    album.c.tenant == sa.bindparam("asked_tenant"),
    album.c.name == sa.bindparam("asked_name"),
    album.c.deleting_since.is_(None),
)
_SELECT_DELETING = sa.select(album).where(album.c.deleting_since.is_not(None)).order_by(album.c.deleting_since)


@dataclass(frozen=True)
class Albums:
    """What the ledger knows about albums."""

    database: Database
    audit: Audit

    def create(self, name: str, tenant: str = DEFAULT_TENANT) -> Album:
        """Make an empty album.

        Args:
            name: 1-255 printable characters without a slash.
            tenant: its owner.

        Raises:
            AlbumExists: the tenant has an album of that name.
            InvalidRequest: the name is not acceptable.
        """
        created, is_new = self._ensure(name, tenant)
        if not is_new:
            raise AlbumExists(f"there is an album named {name!r} already")
        return created

    def ensure(self, name: str, tenant: str = DEFAULT_TENANT) -> Album:
        """Find the album of that name, or make it; callers at the same moment get the same one.

        Raises:
            InvalidRequest: the name is not acceptable.
        """
        return self._ensure(name, tenant)[0]

    def get(self, name: str, tenant: str = DEFAULT_TENANT) -> Album:
        """Find an album by name.

        Raises:
            AlbumNotFound: there is none, or it is being deleted.
        """
        with self.database.reading() as connection:
            found = find_named(connection, name, tenant).one_or_none()
        if found is None:
            raise AlbumNotFound(f"there is no album named {name!r}")
        return _album_of(found)

    def get_by_id(self, album_id: UUID, tenant: str) -> Album:
        """Find an album of a tenant by id.

        Raises:
            AlbumNotFound: the tenant has none, or it is being deleted.
        """
        mine = (album.c.id == album_id, album.c.tenant == tenant, album.c.deleting_since.is_(None))
        with self.database.reading() as connection:
            found = connection.execute(sa.select(album).where(*mine)).one_or_none()
        if found is None:
            raise AlbumNotFound("there is no such album (any more)")
        return _album_of(found)

    def page(
        self,
        limit: int,
        after: str | None = None,
        tenant: str = DEFAULT_TENANT,
        names: Collection[str] | None = None,
    ) -> list[Album]:
        """List one page of a tenant's albums, by name.

        Args:
            limit: at most this many.
            after: the page begins behind this name, whether an album of that name exists or not.
            tenant: their owner.
            names: only these; None: all.
        """
        page = sa.select(album).where(album.c.tenant == tenant, album.c.deleting_since.is_(None))
        if after is not None:
            page = page.where(album.c.name > after)
        if names is not None:
            page = page.where(album.c.name.in_(names))
        with self.database.reading() as connection:
            return [_album_of(row) for row in connection.execute(page.order_by(album.c.name).limit(limit))]

    def list_summaries(self, tenant: str = DEFAULT_TENANT) -> list[AlbumSummary]:
        """Count the photos and faces of every album of a tenant, by name."""
        present = sa.and_(album.c.tenant == tenant, album.c.deleting_since.is_(None))
        with self.database.reading() as connection:
            return _summarize(connection, present)

    def summarize(self, album_id: UUID) -> AlbumSummary:
        """Count the photos and faces of one album.

        Raises:
            AlbumNotFound: there is none, or it is being deleted.
        """
        present = sa.and_(album.c.id == album_id, album.c.deleting_since.is_(None))
        with self.database.reading() as connection:
            summaries = _summarize(connection, present)
        if not summaries:
            raise AlbumNotFound("there is no such album (any more)")
        return summaries[0]

    def begin_delete(self, album_id: UUID, who: str = BY_ITSELF, action: str = "album_deleted") -> None:
        """Hide an album and refuse whatever workers still hold of it; its name is free at once. Twice is once.

        Args:
            album_id: the album.
            who: for the audit log.
            action: the same.
        """
        with self.database.writing() as connection:
            hide = album.update().where(album.c.id == album_id, album.c.deleting_since.is_(None))
            hidden = hide.values(deleting_since=utc_now()).returning(album.c.tenant)
            tenant = connection.execute(hidden).scalar_one_or_none()
            connection.execute(
                job.update()
                .where(job.c.album_id == album_id, state_is(job.c.state, JobState.LISTING))
                .values(state=JobState.FAILED, detail="the album was deleted", listing_ended_at=utc_now())
            )
            photos = connection.execute(
                photo.update()
                .where(photo.c.album_id == album_id, photo.c.state != PhotoState.DELETED)
                .values(state=PhotoState.DELETED, lease_token=None, lease_until=None, purged_at=None)
            ).rowcount
            if tenant is not None:
                entry = AuditEntry(who, tenant, action, str(album_id), {"photos": photos})
                self.audit.append_within(connection, entry)

    def named(self, name: str) -> list[Album]:
        """List the albums of that name, of all tenants."""
        with self.database.reading() as connection:
            found = connection.execute(sa.select(album).where(album.c.name == name, album.c.deleting_since.is_(None)))
            return [_album_of(row) for row in found]

    def all_of(self, tenant: str) -> list[Album]:
        """List every album of a tenant, those that are being deleted too."""
        with self.database.reading() as connection:
            return [_album_of(row) for row in connection.execute(sa.select(album).where(album.c.tenant == tenant))]

    def deleting(self) -> list[Album]:
        """List albums whose deletion was begun and not ended, of all tenants."""
        with self.database.reading() as connection:
            return [_album_of(row) for row in connection.execute(_SELECT_DELETING)]

    def erase(self, album_id: UUID) -> None:
        """Remove every row of an album whose deletion was begun. In steps, so that others may write in between."""
        deleting = sa.select(album.c.id).where(album.c.id == album_id, album.c.deleting_since.is_not(None))
        of_album = sa.select(job.c.id).where(job.c.album_id.in_(deleting))
        in_album = sa.select(photo.c.id).where(photo.c.album_id.in_(deleting))
        for table in (unseen_photo, unpredicted_photo, face_spot):
            while self._erase_some(table, table.c.album_id.in_(deleting)):
                pass
        self._forget_people(album_id)
        for table, mine in (
            (face, face.c.album_id.in_(deleting)),
            (urgent_photo, urgent_photo.c.photo_id.in_(in_album)),
            (job_photo, job_photo.c.job_id.in_(of_album)),
            (photo, photo.c.album_id.in_(deleting)),
            (job, job.c.album_id.in_(deleting)),
        ):
            while self._erase_some(table, mine):
                pass
        with self.database.writing() as connection:
            last = album.delete().where(album.c.id.in_(deleting)).returning(album.c.tenant)
            tenant = connection.execute(last).scalar_one_or_none()
            if tenant is not None:
                self.audit.append_within(connection, AuditEntry(BY_ITSELF, tenant, "album_purged", str(album_id)))

    def _forget_people(self, album_id: UUID) -> None:
        """Let go of people who had no name, and faces in this album only."""
        with self.database.writing() as connection:
            tenant = connection.execute(sa.select(album.c.tenant).where(album.c.id == album_id)).scalar_one_or_none()
            if tenant is not None:
                hold_book(connection, tenant)
                forget_nobodies(connection, tenant)

    def _erase_some(self, table: sa.Table, mine: sa.ColumnElement[bool]) -> int:
        keys = list(table.primary_key.columns)
        some = sa.select(*keys).where(mine).limit(CHUNK)
        with self.database.writing() as connection:
            return connection.execute(table.delete().where(sa.tuple_(*keys).in_(some))).rowcount

    def _ensure(self, name: str, tenant: str) -> tuple[Album, bool]:
        check_album_name(name)
        new_id = uuid4()
        with self.database.writing() as connection:
            found = ensure_album(connection, name, tenant, new_id)
        return found, found.id == new_id


def ensure_album(connection: sa.Connection, name: str, tenant: str, new_id: UUID | None = None) -> Album:
    """Find the album of that acceptable name, or enter it under a new id."""
    new = insert_or_ignore(connection, album).values(id=new_id or uuid4(), tenant=tenant, name=name)
    connection.execute(new)
    return _album_of(find_named(connection, name, tenant).one())


def check_album_name(name: str) -> None:
    """Refuse names that a URL path or a terminal cannot carry.

    Raises:
        InvalidRequest: what an album's name is made of.
    """
    if len(name) > NAME_MAX_CHARS or not is_album_name(name):
        raise InvalidRequest(
            f"an album's name is 1-{NAME_MAX_CHARS} printable characters without a slash, not {name!r}"
        )


def find_named(connection: sa.Connection, name: str, tenant: str) -> sa.CursorResult[Any]:
    """Find the row of the album of that name that is not being deleted."""
    return connection.execute(_SELECT_NAMED, {"asked_name": name, "asked_tenant": tenant})


def _summarize(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[AlbumSummary]:
    """Count by album and state; every count comes from one index, without touching a photo's row."""
    albums = connection.execute(sa.select(album).where(which).order_by(album.c.name)).all()
    totals = (sa.func.count().label("photos"), sa.func.sum(photo.c.face_count).label("faces"))
    by_state = sa.select(photo.c.album_id, photo.c.state, *totals).group_by(photo.c.album_id, photo.c.state)
    rows = connection.execute(by_state.where(photo.c.album_id.in_(sa.select(album.c.id).where(which)))).all()
    counts = {(row.album_id, row.state): (row.photos, int(row.faces or 0)) for row in rows}

    def count(album_id: UUID, state: PhotoState) -> tuple[int, int]:
        return counts.get((album_id, state), (0, 0))

    return [
        AlbumSummary(
            _album_of(row),
            photos=sum(count(row.id, state)[0] for state in PhotoState if state != PhotoState.DELETED),
            indexed=count(row.id, PhotoState.INDEXED)[0],
            dead=count(row.id, PhotoState.DEAD)[0],
            faces=count(row.id, PhotoState.INDEXED)[1],
        )
        for row in albums
    ]


def _album_of(row: sa.Row[Any]) -> Album:
    return Album(row.id, row.tenant, row.name, row.created_at, row.forget_after_days)
