"""Statements that read the photo table as the relay's and the purger's outbox.

The dispatcher runs them several times a second: they are built once, as building one costs more than running it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from random import random, randrange
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from facefleet.ledger.bulk import is_in
from facefleet.ledger.clock import UtcTime, seconds_from_now, utc_now
from facefleet.ledger.database import insert_or_ignore
from facefleet.ledger.listing import FRESH
from facefleet.ledger.message_sizes import MessageSizes
from facefleet.ledger.schema import album, photo, row_state_is, state_is, urgent_photo
from facefleet.records import PhotoState

#: One message in so many goes to any album, the others to the one that has waited longest.
TURN_EVERY = 5

_IS_PENDING = state_is(photo.c.state, PhotoState.PENDING)
_IS_DELETED = state_is(photo.c.state, PhotoState.DELETED)


#: Only what is still pending is stamped; a fast worker may have claimed it already.
_MARK_DISPATCHED = (
    photo.update()
    .where(
        photo.c.id.in_(
            sa.select(photo.c.id)
            .where(is_in(photo.c.id, "photo_ids"), row_state_is(photo.c.state, PhotoState.PENDING))
            .order_by(photo.c.id)
            .with_for_update()
        )
    )
    .values(dispatched_at=utc_now())
)


#: A photo goes first once; should it be lost on its way, it comes again with the others.
_FORGET_URGENT = urgent_photo.delete().where(is_in(urgent_photo.c.photo_id, "photo_ids"))
#: By dialect: what marks photos as sent. PostgreSQL does it in one statement, SQLite knows no such.
MARK_SENT = {
    "sqlite": (_MARK_DISPATCHED, _FORGET_URGENT),
    "postgresql": (_MARK_DISPATCHED.add_cte(_FORGET_URGENT.cte("forgotten")),),
}


_MOST = sa.bindparam("most", type_=sa.Integer)


_IS_UNSENT = sa.and_(
    is_in(photo.c.id, "photo_ids"), row_state_is(photo.c.state, PhotoState.PENDING), photo.c.dispatched_at.is_(None)
)
#: Asked by itself, because mostly there are none: without statistics PostgreSQL would read all photos to join them.
_SELECT_ANY_URGENT = sa.select(urgent_photo.c.photo_id)
_SELECT_URGENT: sa.Select[Any] = (
    sa.select(photo.c.album_id, photo.c.id, photo.c.crash_count)
    .where(_IS_UNSENT, photo.c.next_attempt_at <= utc_now())
    .order_by(photo.c.album_id)
    .limit(_MOST)
)


def mark_urgent(connection: sa.Connection, photo_ids: Collection[UUID]) -> None:
    """Let photos go before all others; those that went already would be urgent for ever."""
    waiting = sa.select(photo.c.id).where(_IS_UNSENT).order_by(photo.c.id)
    insert = insert_or_ignore(connection, urgent_photo).from_select(["photo_id"], waiting)
    connection.execute(insert, {"photo_ids": photo_ids})


def plan_urgent(connection: sa.Connection, limit: int, message_size: int) -> list[tuple[UUID, list[UUID]]]:
    """Choose urgent photos that were not sent yet, as messages."""
    photo_ids = connection.execute(_SELECT_ANY_URGENT).scalars().all()
    if not photo_ids:
        return []
    by_album: defaultdict[UUID, list[sa.Row[Any]]] = defaultdict(list)
    for row in connection.execute(_SELECT_URGENT, {"photo_ids": photo_ids, "most": limit}):
        by_album[row.album_id].append(row)
    return [(album_id, message) for album_id, rows in by_album.items() for message in _cut_messages(rows, message_size)]


def select_small_albums(album_ids: Collection[UUID], most_photos: int) -> sa.Select[UUID]:
    """Select those of these albums in which at most `most_photos` wait; no more than one more are counted of each."""
    some = sa.select(photo.c.id).where(photo.c.album_id == album.c.id, _IS_PENDING).limit(most_photos + 1)
    count = sa.select(sa.func.count()).select_from(some.correlate(album).subquery()).scalar_subquery()
    return sa.select(album.c.id).where(album.c.id.in_(album_ids), count <= most_photos)


def plan_messages(
    connection: sa.Connection, limit: int, redispatch_after_s: float, sizes: MessageSizes
) -> list[tuple[UUID, list[UUID]]]:
    """Choose what to send next, until `limit` photos are chosen.

    What fits into one message goes first. Then most messages are of the album that has waited longest, so that an album
    that came later cannot make it late; some are of any album, so that every one begins soon. Strictly in turns, four
    albums of a hundred miss a deadline that they meet so (docs/capacity.md).
    """
    small, large = _choose_albums(connection, limit, redispatch_after_s, sizes.few)
    due, asked = _select_due(redispatch_after_s), {"most": limit, "plenty": sizes.plenty}
    queues = [
        (album_id, _walk_messages(connection, due, asked | {"album_id": album_id}, sizes))
        for album_id in (*small, *large)
    ]
    begun = len(queues)
    messages: list[tuple[UUID, list[UUID]]] = []
    while queues and limit > 0:
        is_turn = begun - len(queues) >= len(small) and random() * TURN_EVERY < 1
        place = randrange(len(queues)) if is_turn else 0
        album_id, queue = queues[place]
        if message := next(queue, [])[:limit]:
            messages.append((album_id, message))
            limit -= len(message)
        else:
            del queues[place]
    return messages


def _choose_albums(
    connection: sa.Connection, limit: int, redispatch_after_s: float, message_size: int
) -> tuple[list[UUID], list[UUID]]:
    """Choose albums with due photos: those that fit into one message, and others; who has waited longest is first."""
    longest, any_large = _select_albums(redispatch_after_s, message_size)
    rows = list(connection.execute(longest, {"most": limit}))
    if len(rows) == limit:
        # There may be more: some of all get their turn too.
        rows += connection.execute(any_large, {"most": limit}).all()
    small = [row.id for row in rows if row.is_small]
    return small, list(dict.fromkeys(row.id for row in rows if not row.is_small))


@cache
def _select_albums(redispatch_after_s: float, message_size: int) -> tuple[sa.Select[Any], sa.Select[Any]]:
    """Select albums with due photos, those that fit into one message first; and any of the others."""
    is_due = _is_due(redispatch_after_s)
    mine = sa.select(photo.c.id, photo.c.next_attempt_at).where(photo.c.album_id == album.c.id, is_due).correlate(album)
    some = mine.limit(message_size + 1).subquery()
    count = sa.select(sa.func.count()).select_from(some).scalar_subquery()
    since = sa.select(sa.func.min(photo.c.next_attempt_at)).where(photo.c.album_id == album.c.id, is_due)
    waiting = sa.select(
        album.c.id, since.correlate(album).scalar_subquery().label("since"), (count <= message_size).label("is_small")
    ).subquery()
    found = sa.select(waiting.c.id, waiting.c.is_small).where(waiting.c.since.is_not(None)).limit(_MOST)
    longest = found.order_by(waiting.c.is_small.desc(), waiting.c.since)
    return longest, found.where(~waiting.c.is_small).order_by(sa.func.random())


@cache
def count_dispatched(redispatch_after_s: float) -> sa.Select[int]:
    """Count what is on its way to a worker."""
    is_fresh = photo.c.dispatched_at > seconds_from_now(-redispatch_after_s)
    return sa.select(sa.func.count()).select_from(photo).where(_IS_PENDING, is_fresh)


@cache
def ask_for_unsent(redispatch_after_s: float) -> sa.Select[bool]:
    """Ask whether any photo is not on its way to a worker; those that are not due yet count. The index answers."""
    pending = sa.select(photo.c.id).where(_IS_PENDING)
    lost = pending.where(photo.c.dispatched_at <= seconds_from_now(-redispatch_after_s))
    return sa.select(sa.or_(pending.where(photo.c.dispatched_at.is_(None)).exists(), lost.exists()))


@cache
def count_backlog() -> sa.Select[int]:
    """Count pending and leased photos, each in its own index."""
    counts = [
        sa.select(sa.func.count()).select_from(photo).where(state_is(photo.c.state, state)).scalar_subquery()
        for state in (PhotoState.PENDING, PhotoState.LEASED)
    ]
    return sa.select(counts[0] + counts[1])


@cache
def select_backlog(interactive_photos: int) -> sa.Select[Any]:
    """Count what waits by lane, from indexes of waiting photos alone, and what was finished within a minute.

    An album's lane is the one that the relay would choose for it now.
    """
    waiting = [
        sa.select(photo.c.album_id, due.label("due_at")).where(state_is(photo.c.state, state))
        for state, due in ((PhotoState.PENDING, photo.c.next_attempt_at), (PhotoState.LEASED, sa.null()))
    ]
    each = waiting[0].union_all(waiting[1]).subquery()
    totals = (sa.func.count().label("photos"), sa.func.min(each.c.due_at).label("due_at"))
    albums = sa.select(*totals).group_by(each.c.album_id).subquery()
    is_small = albums.c.photos <= interactive_photos
    finished = sa.select(sa.func.count()).where(photo.c.finished_at > seconds_from_now(-60))
    return sa.select(
        sa.func.coalesce(sa.func.sum(albums.c.photos).filter(is_small), 0).label("interactive_photos"),
        sa.func.coalesce(sa.func.sum(albums.c.photos).filter(~is_small), 0).label("index_photos"),
        sa.type_coerce(sa.func.min(albums.c.due_at), UtcTime()).label("oldest_due_at"),
        utc_now().label("now"),
        finished.scalar_subquery().label("finished"),
    )


@cache
def select_unpurged(limit: int) -> sa.Select[Any]:
    """Select deleted photos whose points may still be there; those of albums being deleted go with their album."""
    return (
        sa.select(photo.c.album_id, photo.c.id, photo.c.store_uri)
        .join(album)
        .where(_IS_DELETED, photo.c.purged_at.is_(None), album.c.deleting_since.is_(None))
        .limit(limit)
    )


def mark_purged(photo_ids: Collection[UUID]) -> tuple[sa.Update, sa.Update]:
    """Stamp deleted photos, and index those once more that came back while their points were being deleted."""
    deleted = photo.update().where(photo.c.id.in_(photo_ids), _IS_DELETED).values(purged_at=utc_now())
    is_at_risk = state_is(photo.c.state, PhotoState.LEASED, PhotoState.INDEXED)
    back = photo.update().where(photo.c.id.in_(photo_ids), is_at_risk).values(**FRESH)
    return deleted, back


def _is_due(redispatch_after_s: float) -> sa.ColumnElement[bool]:
    lost = photo.c.dispatched_at <= seconds_from_now(-redispatch_after_s)
    return sa.and_(_IS_PENDING, photo.c.next_attempt_at <= utc_now(), sa.or_(photo.c.dispatched_at.is_(None), lost))


@cache
def _select_due(redispatch_after_s: float) -> sa.Select[Any]:
    """Select the first due photos of one album along its index; not yet due ones are never looked at."""
    mine, is_due = photo.c.album_id == sa.bindparam("album_id"), _is_due(redispatch_after_s)
    beyond = sa.select(photo.c.id).where(mine, is_due).offset(sa.bindparam("plenty", type_=sa.Integer)).limit(1)
    columns = (photo.c.id, photo.c.crash_count, beyond.correlate(None).exists().label("is_plenty"))
    return sa.select(*columns).where(mine, is_due).order_by(photo.c.next_attempt_at).limit(_MOST)


def _walk_messages(
    connection: sa.Connection, due: sa.Select[Any], which: dict[str, object], sizes: MessageSizes
) -> Iterator[list[UUID]]:
    """Read an album's due photos when its first message is asked for."""
    rows = connection.execute(due, which).all()
    yield from _cut_messages(rows, sizes.most if rows and rows[0].is_plenty else sizes.few)


def _cut_messages(rows: Sequence[sa.Row[Any]], message_size: int) -> Iterator[list[UUID]]:
    """Cut one album's photos into messages; a photo that lost a worker before comes alone."""
    message: list[UUID] = []
    for row in rows:
        if row.crash_count > 0:
            yield [row.id]
            continue
        message.append(row.id)
        if len(message) == message_size:
            yield message
            message = []
    if message:
        yield message
