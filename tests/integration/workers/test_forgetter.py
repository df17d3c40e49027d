import sqlalchemy as sa

from facefleet.ledger.audit import AuditEntry
from facefleet.ledger.audit_schema import audit
from facefleet.ledger.clock import seconds_from_now
from facefleet.ledger.schema import album
from tests.integration.workers.conftest import MODEL_VERSION, Bench
from workers.dispatcher.forgetter import Forgetter
from workers.dispatcher.purger import Purger


def test_an_album_nobody_searched_is_gone_with_its_faces(bench: Bench) -> None:
    parts = bench.parts
    bench.write(a=b"2 faces")
    forgotten, _ = bench.list_into("forgotten")
    kept, _ = bench.list_into("kept")
    bench.indexer.index([*bench.photo_ids(forgotten), *bench.photo_ids(kept)])
    parts.ledger.retention.set(forgotten, 7, "local")
    forgetter = Forgetter(parts.ledger, audit_days=0)
    forgetter.step()
    assert not parts.ledger.albums.deleting()
    with parts.ledger.database.writing() as connection:
        older = album.update().where(sa.true()).values(retention_since=seconds_from_now(-8 * 24 * 3600.0))
        connection.execute(older)
    forgetter.step()
    Purger(parts.ledger, parts.gallery, parts.stores, parts.settings).step()
    assert [each.album.name for each in parts.ledger.albums.list_summaries()] == ["kept"]
    assert parts.gallery.count(MODEL_VERSION) == 2
    said = [row.action for row in parts.ledger.audit.page(9, object_ids=[str(forgotten)])]
    assert said == ["album_purged", "album_forgotten", "retention_set"]


def test_old_rows_of_the_log_are_removed_when_that_is_asked_for(bench: Bench) -> None:
    ledger = bench.parts.ledger
    for number in range(3):
        ledger.audit.append(AuditEntry("local", "default", "search", str(number)))
    with ledger.database.writing() as connection:
        connection.execute(audit.update().values(at=seconds_from_now(-8 * 24 * 3600.0)))
    assert [Forgetter(ledger, days).step() for days in (0, 9)] == [False, False]
    assert len(ledger.audit.page(9)) == 3
    assert [Forgetter(ledger, audit_days=7).step() for _ in range(2)] == [True, False], "there may be more"
    assert [(row.sequence, row.action, row.object_id) for row in ledger.audit.page(9)] == [(4, "audit_trimmed", "3")]
