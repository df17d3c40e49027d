"""The audit log on both databases: one chain whoever writes, and every change to it is seen."""

import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from facefleet.errors import ConfigurationError, InvalidRequest
from facefleet.identity.api_key import draw_key
from facefleet.identity.caller import Scope
from facefleet.ledger.audit import AuditEntry
from facefleet.ledger.audit_chain import TRIMMED, AuditHead, AuditRow, Verified, hash_row, parse_head
from facefleet.ledger.audit_schema import audit
from facefleet.ledger.clock import seconds_from_now
from facefleet.ledger.database import CHUNK
from facefleet.ledger.engine import Ledger, open_ledger
from facefleet.ledger.keys import KeyGrant

KEY = b"the key of a server"
WRITER = """
import sys
from facefleet.identity.api_key import draw_key
from facefleet.identity.caller import Scope
from facefleet.ledger.audit import AuditEntry
from facefleet.ledger.engine import open_ledger
ledger = open_ledger(sys.argv[1])
for number in range(25):
    ledger.audit.append(AuditEntry("local", "default", "search", sys.argv[2], {"candidates": number}))
"""


def entry(number: int = 0, object_id: str = "album") -> AuditEntry:
    return AuditEntry("FFKA", "default", "search", object_id, {"faces": 1, "candidates": number})


def append(ledger: Ledger, *numbers: int) -> None:
    with ledger.database.writing() as connection:
        ledger.audit.append_within(connection, *map(entry, numbers))


def sql(ledger: Ledger, statement: str) -> None:
    with ledger.database.writing() as connection:
        connection.execute(sa.text(statement))


def test_rows_say_what_was_done_and_follow_each_other(ledger: Ledger) -> None:
    append(ledger, 1, 2)
    ledger.audit.append(AuditEntry("facefleet", "acme", "album_purged", "other"))
    last, second, first = ledger.audit.page(10)
    assert (first.sequence, first.previous, second.previous, last.previous) == (1, "", first.hash, second.hash)
    assert (first.who, first.action, first.outcome) == ("FFKA", "search", '{"candidates":1,"faces":1}')
    assert (last.who, last.tenant, last.object_id, last.outcome) == ("facefleet", "acme", "other", "{}")
    assert ledger.audit.page(10, before=2) == [first]
    assert ledger.audit.page(10, object_ids=["other"]) == [last]
    verified = ledger.audit.verify()
    assert (verified.rows, verified.broken_at, str(verified.head)) == (3, None, f"3:{last.hash}")


def test_an_empty_log_is_whole(ledger: Ledger) -> None:
    assert ledger.audit.verify().rows == 0


def test_a_log_of_several_pages_is_read_to_its_end(ledger: Ledger) -> None:
    append(ledger, *range(CHUNK + 1))
    assert ledger.audit.verify().rows == CHUNK + 1


@pytest.mark.parametrize(
    ("tampering", "broken_at", "why"),
    [
        ("UPDATE audit SET outcome = '{}' WHERE sequence = 3", 3, "changed"),
        ("UPDATE audit SET who = 'nobody' WHERE sequence = 1", 1, "changed"),
        ("UPDATE audit SET at = (SELECT at FROM audit WHERE sequence = 5) WHERE sequence = 2", 2, "changed"),
        ("DELETE FROM audit WHERE sequence = 2", 2, "missing"),
        ("DELETE FROM audit WHERE sequence = 1", 1, "missing"),
        ("INSERT INTO audit SELECT 0, at, who, tenant, action, object_id, outcome, '', hash FROM audit", 1, "put in"),
        ("UPDATE audit SET previous = 'sha256:0' WHERE sequence = 4", 4, "follow"),
    ],
)
def test_a_change_is_seen_where_it_was_made(ledger: Ledger, tampering: str, broken_at: int, why: str) -> None:
    for number in range(5):
        ledger.audit.append(entry(number))
        wait_for_a_millisecond(ledger)
    sql(ledger, tampering + (" WHERE sequence = 1" if tampering.startswith("INSERT") else ""))
    verified = ledger.audit.verify()
    assert (verified.rows, verified.broken_at) == (broken_at - 1, broken_at)
    assert why in str(verified.why)


def wait_for_a_millisecond(ledger: Ledger) -> None:
    before = ledger.repairs.now()
    while (ledger.repairs.now() - before).total_seconds() < 0.001:
        pass


def test_who_has_no_key_cannot_mend_the_chain(ledger: Ledger, ledger_url: str) -> None:
    keyed = open_ledger(ledger_url, KEY)
    append(keyed, *range(3))
    assert keyed.audit.verify().broken_at is None
    assert "FACEFLEET_AUDIT_SECRET" in str(ledger.audit.verify().why)
    rewrite(ledger, b"", from_sequence=2)
    assert (keyed.audit.verify().broken_at, "without the key" in str(keyed.audit.verify().why)) == (2, True)
    rewrite(ledger, b"a guess", from_sequence=2)
    assert keyed.audit.verify().broken_at == 2
    # All of it without a key: only who kept a head, or knows that there was a key, sees it.
    rewrite(ledger, b"", from_sequence=1)
    assert keyed.audit.verify().unkeyed_rows == 3
    keyed.close()


def rewrite(ledger: Ledger, key: bytes, from_sequence: int) -> None:
    """Write the rows anew, as somebody would who has the database."""
    previous = ""
    for row in reversed(ledger.audit.page(100)):
        if row.sequence >= from_sequence:
            forged = {"previous": previous, "outcome": '{"faces":0}'}
            fields = {name: getattr(row, name) for name in row.__slots__} | forged
            fields["hash"] = hash_row(type(row)(**fields), key)
            with ledger.database.writing() as connection:
                connection.execute(audit.update().where(audit.c.sequence == row.sequence).values(**fields))
            previous = fields["hash"]
        else:
            previous = row.hash


def test_a_key_may_come_later_and_never_go(ledger: Ledger, ledger_url: str) -> None:
    ledger.audit.append(entry())
    keyed = open_ledger(ledger_url, KEY)
    keyed.audit.append(entry())
    assert (keyed.audit.verify().rows, keyed.audit.verify().unkeyed_rows) == (2, 1)
    with pytest.raises(ConfigurationError, match="FACEFLEET_AUDIT_SECRET"):
        ledger.audit.append(entry())
    assert (keyed.audit.verify().rows, keyed.audit.verify().broken_at) == (2, None)
    keyed.close()


def test_an_end_that_is_gone_is_seen_by_who_kept_a_head(ledger: Ledger) -> None:
    append(ledger, *range(4))
    head = ledger.audit.verify().head
    assert head
    sql(ledger, "DELETE FROM audit WHERE sequence > 2")
    assert ledger.audit.verify().broken_at is None
    cut = ledger.audit.verify(parse_head(str(head)))
    assert (cut.broken_at, "ends before row 4" in str(cut.why)) == (3, True)
    append(ledger, 7, 8)
    anew = ledger.audit.verify(head)
    assert (anew.broken_at, "another row was there" in str(anew.why)) == (4, True)
    assert ledger.audit.verify(AuditHead(2, anew.head.hash if anew.head else "")).broken_at == 2


def make_older(ledger: Ledger, up_to: int) -> None:
    """Rows of old are written: the chain is made anew, as their moments are in it."""
    with ledger.database.writing() as connection:
        old = audit.update().where(audit.c.sequence <= up_to).values(at=seconds_from_now(-31 * 24 * 3600.0))
        connection.execute(old)
    previous = ""
    for row in reversed(ledger.audit.page(100)):
        fields = {"previous": previous, "hash": hash_row(replace(row, previous=previous), KEY)}
        with ledger.database.writing() as connection:
            connection.execute(audit.update().where(audit.c.sequence == row.sequence).values(**fields))
        previous = fields["hash"]


def test_a_log_without_its_old_rows_is_whole_and_any_other_loss_is_seen(
    ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facefleet.ledger.audit._TRIMMED_AT_ONCE", 2)
    keyed = open_ledger(ledger_url, KEY)
    append(keyed, *range(6))
    make_older(keyed, up_to=3)
    third, fifth = (
        AuditHead(row.sequence, row.hash) for row in reversed(keyed.audit.page(10)) if row.sequence in (3, 5)
    )
    with pytest.raises(ConfigurationError, match="FACEFLEET_AUDIT_SECRET"):
        ledger.audit.trim(30)
    assert [keyed.audit.trim(30) for _ in range(3)] == [2, 1, 0]
    assert [row.sequence for row in reversed(keyed.audit.page(10))] == [4, 5, 6, 7, 8]
    for expected in (None, third, fifth):
        verified = keyed.audit.verify(expected)
        assert (verified.rows, verified.removed, verified.unkeyed_rows, verified.why) == (8, third, 0, None)
    with pytest.raises(InvalidRequest, match="row 2 was removed for its age: the log begins with row 4"):
        keyed.audit.verify(AuditHead(2, "sha256:0"))
    assert keyed.audit.verify(AuditHead(3, "sha256:0")).broken_at == 4
    sql(ledger, "DELETE FROM audit WHERE sequence = 4")
    for expected in (None, AuditHead(2, "sha256:0")):
        cut = keyed.audit.verify(expected)
        assert (cut.broken_at, "no row says that it was removed" in str(cut.why)) == (1, True)
    keyed.close()


def test_rows_that_are_removed_while_the_log_is_read_are_not_missing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facefleet.ledger.audit.CHUNK", 2)
    append(ledger, *range(8))
    with ledger.database.writing() as connection:
        connection.execute(audit.update().values(at=seconds_from_now(-31 * 24 * 3600.0)))
    seen: list[int] = []

    def read_slowly(rows: Iterable[AuditRow], *_: object) -> Verified:
        for row in rows:
            if not seen:
                assert ledger.audit.trim(30) == 8
            seen.append(row.sequence)
        return Verified()

    monkeypatch.setattr("facefleet.ledger.audit.verify_chain", read_slowly)
    ledger.audit.verify()
    assert seen == list(range(1, 9))


def test_who_has_no_key_cannot_say_that_rows_were_removed(ledger: Ledger, ledger_url: str) -> None:
    keyed = open_ledger(ledger_url, KEY)
    append(keyed, *range(4))
    third = next(row for row in keyed.audit.page(10) if row.sequence == 3)
    forged = AuditEntry("facefleet", "default", TRIMMED, "3", {"rows": 3, "hash": third.hash})
    sql(ledger, "DELETE FROM audit WHERE sequence <= 3")
    keyless = open_ledger(ledger_url, b"a guess")
    keyless.audit.append(forged)
    assert keyed.audit.verify().broken_at == 5
    sql(ledger, "DELETE FROM audit WHERE sequence = 5")
    assert keyed.audit.verify().broken_at == 1
    keyless.close()
    keyed.close()


def test_many_threads_and_processes_make_one_chain(ledger: Ledger, ledger_url: str) -> None:
    others = [subprocess.Popen([sys.executable, "-c", WRITER, ledger_url, name]) for name in "ab"]
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda number: ledger.audit.append(entry(number, "here")), range(100)))
    assert [process.wait(120) for process in others] == [0, 0]
    verified = ledger.audit.verify()
    assert (verified.rows, verified.broken_at) == (150, None)
    here = ledger.audit.page(200, object_ids=["here"])
    assert sorted(row.outcome for row in here) == sorted(f'{{"candidates":{n},"faces":1}}' for n in range(100))


def test_nobody_is_told_of_a_row_that_was_not_written(ledger: Ledger) -> None:
    sql(ledger, "ALTER TABLE audit RENAME TO away")
    failures = []

    def try_to_append(number: int) -> None:
        try:
            ledger.audit.append(entry(number))
        except Exception as error:  # noqa: BLE001  whatever it is
            failures.append(error)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(try_to_append, range(8)))
    assert len(failures) == 8
    sql(ledger, "ALTER TABLE away RENAME TO audit")
    ledger.audit.append(entry())
    assert ledger.audit.verify().rows == 1


def test_a_row_within_a_transaction_comes_and_goes_with_it(ledger: Ledger) -> None:
    def cut_off() -> None:
        with ledger.database.writing() as connection:
            ledger.audit.append_within(connection, entry(1))
            raise KeyError

    with pytest.raises(KeyError):
        cut_off()
    ledger.audit.append(entry(2))
    assert ledger.audit.verify().rows == 1


@pytest.mark.parametrize("text", ["", "17", "17:", "a:sha256:0", ":x"])
def test_what_is_no_head_is_said_so(text: str) -> None:
    with pytest.raises(InvalidRequest, match="not a row of the log"):
        parse_head(text)


def test_keys_are_made_replaced_and_ended_in_it(ledger: Ledger) -> None:
    first = ledger.keys.add(draw_key(), KeyGrant("acme", "the shop", [Scope.READ, Scope.INDEX]))
    second = ledger.keys.rotate(first.id, draw_key(), overlap_s=60)
    ledger.keys.revoke(second.id)
    rows = [(row.action, row.object_id, row.outcome) for row in reversed(ledger.audit.page(10))]
    assert rows == [
        ("key_created", first.id, '{"scopes":"index,read"}'),
        ("key_rotated", second.id, f'{{"replaces":"{first.id}","scopes":"index,read"}}'),
        ("key_revoked", second.id, '{"scopes":"index,read"}'),
    ]
    assert {row.tenant for row in ledger.audit.page(10)} == {"acme"}
