"""Which albums are forgotten, by the database's clock: nobody waits for days here, the rows are made older instead."""

import sqlalchemy as sa

from facefleet.ledger.audit import AuditEntry
from facefleet.ledger.audit_schema import audit
from facefleet.ledger.clock import seconds_from_now
from facefleet.ledger.engine import Ledger
from facefleet.ledger.schema import album
from facefleet.records import Album

DAY_S = 24 * 3600.0


def due(ledger: Ledger) -> set[str]:
    return {each.name for each in ledger.retention.due()}


def make_older(ledger: Ledger, column: sa.Column[object], days: float) -> None:
    with ledger.database.writing() as connection:
        connection.execute(column.table.update().values({column.name: seconds_from_now(-days * DAY_S)}))


def search(ledger: Ledger, searched: Album) -> None:
    ledger.audit.append(AuditEntry("local", searched.tenant, "search", str(searched.id), {"faces": 1}))


def test_days_are_counted_from_when_it_was_said_or_from_the_last_search(ledger: Ledger) -> None:
    kept, short, long = (ledger.albums.create(name) for name in ("kept", "short", "long"))
    ledger.retention.set(short.id, 30, "local")
    ledger.retention.set(long.id, 90, "local")
    make_older(ledger, album.c.created_at, 1000)
    assert due(ledger) == set()
    make_older(ledger, album.c.retention_since, 29.99)
    assert due(ledger) == set()
    make_older(ledger, album.c.retention_since, 31)
    assert due(ledger) == {"short"}
    make_older(ledger, album.c.retention_since, 1000)
    assert due(ledger) == {"short", "long"}
    for each in (kept, short, long):
        search(ledger, each)
    assert due(ledger) == set()
    make_older(ledger, audit.c.at, 31)
    assert due(ledger) == {"short"}
    search(ledger, short)
    assert due(ledger) == set()


def test_saying_it_again_begins_anew_and_never_keeps_it(ledger: Ledger) -> None:
    mine = ledger.albums.create("mine")
    ledger.retention.set(mine.id, 30, "local")
    make_older(ledger, album.c.retention_since, 31)
    ledger.retention.set(mine.id, 7, "FFKA")
    assert due(ledger) == set()
    make_older(ledger, album.c.retention_since, 31)
    assert [each.forget_after_days for each in ledger.retention.due()] == [7]
    ledger.retention.set(mine.id, None, "FFKA")
    make_older(ledger, album.c.retention_since, 1000)
    assert due(ledger) == set()
    assert ledger.albums.get("mine").forget_after_days is None
    said = [(row.who, row.action, row.outcome) for row in ledger.audit.page(1)]
    assert said == [("FFKA", "retention_set", '{"days":0}')]


def test_an_album_that_goes_already_is_not_due(ledger: Ledger) -> None:
    mine = ledger.albums.create("mine")
    ledger.retention.set(mine.id, 1, "local")
    make_older(ledger, album.c.retention_since, 2)
    ledger.albums.begin_delete(mine.id)
    assert due(ledger) == set()


def test_a_log_that_is_trimmed_leaves_albums_their_last_search(ledger: Ledger) -> None:
    mine = ledger.albums.create("mine")
    ledger.retention.set(mine.id, 90, "local")
    make_older(ledger, album.c.retention_since, 1000)
    search(ledger, mine)
    make_older(ledger, audit.c.at, 40)
    assert ledger.retention.trim_log(30) == 2
    assert [row.action for row in ledger.audit.page(9)] == ["audit_trimmed"]
    assert due(ledger) == set()
    make_older(ledger, album.c.retention_since, 91)
    assert due(ledger) == {"mine"}
    assert ledger.retention.trim_log(30) == 0
