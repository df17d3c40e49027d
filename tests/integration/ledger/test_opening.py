"""Opening a ledger: migrations, processes that start at once, and databases that are away."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import alembic.autogenerate
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext

import facefleet.ledger.database
from facefleet.errors import ConfigurationError, LedgerUnavailable
from facefleet.ledger.database import Database, connect
from facefleet.ledger.engine import Ledger, open_ledger
from facefleet.ledger.schema import album, metadata

CREATED_SQL = {
    "sqlite": "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name <> 'alembic_version'",
    "postgresql": """
        SELECT 'index', indexname, indexdef FROM pg_indexes
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
        UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid <> 'alembic_version'::regclass
        UNION ALL SELECT 'column', table_name || '.' || column_name,
            concat_ws(' ', data_type, character_maximum_length, is_nullable, collation_name, column_default)
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
    """,
}


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new' / 'ledger.sqlite3'}"
    return str(request.getfixturevalue("empty_postgres_url"))


def test_the_migrations_make_what_the_schema_says(empty_url: str) -> None:
    ledger = open_ledger(empty_url)
    with ledger.database.reading() as connection:
        # Alembic does not see that a key is for one database alone; what was created says it, below.
        options = {"include_object": lambda _, name, *__: name != "fk_face_album"}
        context = MigrationContext.configure(connection, opts=options)
        assert alembic.autogenerate.compare_metadata(context, metadata) == []
    migrated = _what_was_created(ledger.database)
    with ledger.database.writing() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
    assert migrated == _what_was_created(ledger.database)
    ledger.close()


def _what_was_created(database: Database) -> dict[tuple[str, str], str]:
    statement = sa.text(CREATED_SQL[database.engine.dialect.name])
    with database.reading() as connection:
        return {(kind, name): " ".join(sql.split()) for kind, name, sql in connection.execute(statement)}


def test_opening_twice_keeps_what_is_there(empty_url: str) -> None:
    first = open_ledger(empty_url)
    album = first.albums.create("kept")
    first.close()
    second = open_ledger(empty_url)
    assert second.albums.get("kept") == album
    second.close()


def test_processes_that_start_at_once_take_turns(empty_url: str) -> None:
    program = "import sys; from facefleet.ledger.engine import open_ledger; open_ledger(sys.argv[1]).albums.ensure('a')"
    starting = [
        subprocess.Popen([sys.executable, "-c", program, empty_url], stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert [process.communicate(timeout=120)[1] for process in starting] == [""] * 4
    assert [process.returncode for process in starting] == [0] * 4


def test_a_ledger_of_a_newer_facefleet_is_refused(empty_url: str) -> None:
    ledger = open_ledger(empty_url)
    with ledger.database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    ledger.close()
    with pytest.raises(ConfigurationError, match="newer Facefleet"):
        open_ledger(empty_url)


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/db", "sqlite://", "", "postgresql://host:port/db"])
def test_a_url_of_no_use_is_said_so(url: str) -> None:
    with pytest.raises(ConfigurationError):
        open_ledger(url)


def test_the_password_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        connect("mysql://someone:secret@host/db")
    assert "secret" not in str(caught.value)


def test_a_directory_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot be made"):
        open_ledger(f"sqlite:///{tmp_path / 'file' / 'ledger.sqlite3'}")


def test_a_server_that_is_away_is_transient() -> None:
    with pytest.raises(LedgerUnavailable):
        open_ledger("postgresql://postgres@127.0.0.1:1/db")


def test_a_file_that_is_no_database_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite3").write_text("not a database, " * 100)
    with pytest.raises(LedgerUnavailable, match="not a database"):
        open_ledger(f"sqlite:///{tmp_path / 'ledger.sqlite3'}")


def test_a_server_that_goes_away_and_comes_back(fresh_postgres_url: str, postgres_url: str) -> None:
    ledger = open_ledger(fresh_postgres_url)
    ledger.check()
    name = fresh_postgres_url.rpartition("/")[2]
    admin = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        connection.execute(
            sa.select(sa.func.pg_terminate_backend(sa.column("pid")))
            .select_from(sa.text("pg_stat_activity"))
            .where(sa.column("datname") == name)
        )
        for ask in _questions(ledger):
            with pytest.raises(LedgerUnavailable):
                ask()
        connection.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
    admin.dispose()
    ledger.check()
    ledger.close()


def _questions(ledger: Ledger) -> list[Callable[[], object]]:
    return [
        ledger.check,
        lambda: ledger.albums.ensure("a"),
        lambda: ledger.leases.claim([], 1),
        lambda: ledger.jobs.claim_listing(1),
        ledger.leases.backlog,
    ]


def test_a_process_frozen_in_a_transaction_does_not_hold_its_locks_for_ever(
    fresh_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facefleet.ledger.database, "_POSTGRESQL_IDLE_TRANSACTION_MS", 200)
    ledger = open_ledger(fresh_postgres_url)
    ledger.albums.ensure("a")
    frozen = connect(fresh_postgres_url)

    def hold_locks() -> None:
        with frozen.writing() as connection:
            connection.execute(album.update().values(name="b"))
            # Waits for the lock that nothing but the frozen one's end sets free.
            with ledger.albums.database.writing() as other:
                other.execute(album.update().values(name="c"))
            connection.execute(album.update().values(name="d"))

    with pytest.raises(LedgerUnavailable):
        hold_locks()
    assert [each.album.name for each in ledger.albums.list_summaries()] == ["c"]
    frozen.engine.dispose()
    ledger.close()
