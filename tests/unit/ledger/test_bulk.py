"""Many ids in one statement."""

from sqlalchemy.dialects import sqlite

from facefleet.ledger.faces import _SELECT_ASKED


def test_sqlite_is_asked_in_words_for_which_it_uses_its_index() -> None:
    asked = " ".join(str(_SELECT_ASKED.compile(dialect=sqlite.dialect())).split())
    # With `= 1` behind it, as SQLAlchemy writes what is true or false, every photo would be read.
    assert asked.endswith("face.id IN (SELECT value FROM json_each(?))")
