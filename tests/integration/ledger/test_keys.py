"""API keys in the ledger: what counts, what ended, and what is kept of them."""

import pytest
import sqlalchemy as sa

from facefleet.errors import InvalidRequest
from facefleet.identity.api_key import DrawnKey, draw_key
from facefleet.identity.caller import Caller, Scope
from facefleet.ledger.engine import Ledger
from facefleet.ledger.key_schema import api_key
from facefleet.ledger.keys import KeyGrant, check_tenant

GRANT = KeyGrant("one", "the shop", [Scope.READ, Scope.INDEX], ["b", "a"])


def add(ledger: Ledger, expires_in_s: float | None = None, tenant: str = "one") -> DrawnKey:
    drawn = draw_key()
    ledger.keys.add(drawn, KeyGrant(tenant, "", [Scope.READ], None, expires_in_s))
    return drawn


def counts(ledger: Ledger, drawn: DrawnKey) -> bool:
    known = ledger.keys.find(drawn.id)
    assert known
    return known.counts


def test_a_key_is_found_with_what_it_was_made_for(ledger: Ledger) -> None:
    drawn = draw_key()
    made = ledger.keys.add(drawn, GRANT)
    known = ledger.keys.find(drawn.id)
    assert known
    assert (known.key, known.secret_hash, known.counts) == (made, drawn.secret_hash, True)
    assert made.caller == Caller("one", frozenset({Scope.READ, Scope.INDEX}), frozenset({"a", "b"}), drawn.id)
    assert (made.label, made.expires_at, made.revoked_at, made.last_used_at) == ("the shop", None, None, None)
    assert ledger.keys.find(draw_key().id) is None


def test_the_text_of_a_key_is_nowhere_in_the_ledger(ledger: Ledger) -> None:
    drawn = draw_key()
    ledger.keys.add(drawn, GRANT)
    with ledger.database.reading() as connection:
        row = str(connection.execute(sa.select(api_key)).one())
    assert drawn.text.partition("_")[2] not in row


def test_a_key_ends_when_it_expires_or_is_revoked_for_good(ledger: Ledger) -> None:
    lasting, ended, revoked = add(ledger, 60), add(ledger, -1), add(ledger)
    first = ledger.keys.revoke(revoked.id).revoked_at
    assert first is not None
    assert ledger.keys.revoke(revoked.id).revoked_at == first
    assert [counts(ledger, each) for each in (lasting, ended, revoked)] == [True, False, False]
    with pytest.raises(InvalidRequest, match="no key FFKNONE"):
        ledger.keys.revoke("FFKNONE")


def test_a_rotated_key_is_for_the_same_and_the_old_one_ends_after_a_while(ledger: Ledger) -> None:
    old, new = draw_key(), draw_key()
    made = ledger.keys.add(old, GRANT)
    follows = ledger.keys.rotate(old.id, new, overlap_s=3600)
    assert (follows.tenant, follows.label, follows.scopes, follows.albums) == (
        made.tenant,
        made.label,
        made.scopes,
        made.albums,
    )
    assert follows.expires_at is None
    assert counts(ledger, old)
    assert counts(ledger, new)
    again = draw_key()
    ledger.keys.rotate(new.id, again, overlap_s=0)
    assert not counts(ledger, new)
    assert counts(ledger, again)


def test_rotating_never_lengthens_the_old_key_and_gives_the_new_one_as_long(ledger: Ledger) -> None:
    old, new = add(ledger, 60), draw_key()
    before = ledger.keys.find(old.id)
    follows = ledger.keys.rotate(old.id, new, overlap_s=3600)
    after = ledger.keys.find(old.id)
    assert before
    assert after
    assert after.key.expires_at == before.key.expires_at
    assert follows.expires_at
    assert 59 < (follows.expires_at - follows.created_at).total_seconds() < 61


def test_a_key_that_ended_is_not_rotated(ledger: Ledger) -> None:
    ended = add(ledger, -1)
    with pytest.raises(InvalidRequest, match="create a new one"):
        ledger.keys.rotate(ended.id, draw_key(), 60)
    assert [key.id for key in ledger.keys.list()] == [ended.id]


def test_keys_are_listed_by_tenant(ledger: Ledger) -> None:
    two, one = add(ledger, tenant="two"), add(ledger)
    assert [key.id for key in ledger.keys.list()] == [one.id, two.id]
    assert [key.id for key in ledger.keys.list("two")] == [two.id]


def test_a_use_is_news_once_a_minute(ledger: Ledger) -> None:
    drawn = add(ledger)
    known = ledger.keys.find(drawn.id)
    assert known
    assert known.use_is_news
    ledger.keys.note_use(drawn.id)
    known = ledger.keys.find(drawn.id)
    assert known
    assert known.key.last_used_at is not None
    assert not known.use_is_news


@pytest.mark.parametrize("tenant", ["", "a b", "a/b", "é", "x" * 256, "a\n"])
def test_a_tenant_has_a_plain_name(tenant: str) -> None:
    with pytest.raises(InvalidRequest):
        check_tenant(tenant)
