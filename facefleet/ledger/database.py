"""One database behind the ledger: connections, transactions, and the one place where its errors are translated."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from facefleet.errors import ConfigurationError, LedgerUnavailable

#: How long a connection to SQLite waits for another process that writes, milliseconds.
SQLITE_BUSY_TIMEOUT_MS = 30_000
#: How long emptying SQLite's write-ahead log may wait for readers, milliseconds: writers wait with it.
_SHRED_PATIENCE_MS = 200
#: SQLite takes 32,766 variables in one statement, PostgreSQL 65,535; the widest row here has 20.
CHUNK = 1000

#: Executed on every new SQLite connection. FULL: with NORMAL a power cut may drop acknowledged commits.
_PRAGMAS = (
    f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # What is deleted is overwritten with zeros: a purge that left names in the file's free pages would be none.
    "PRAGMA secure_delete = ON",
)
_POSTGRESQL_CONNECT = {
    # A server that vanished without a word is noticed within half a minute.
    "connect_timeout": 5,
    "tcp_user_timeout": 30_000,
    "keepalives_idle": 10,
    # A prepared statement keeps the plan that was right for an empty table until somebody runs ANALYZE.
    "prepare_threshold": None,
}
#: A process that was frozen in a transaction must not hold its locks, on which sweeper and relay wait, for ever.
_POSTGRESQL_IDLE_TRANSACTION_MS = 30_000
#: A connection that was used this lately is taken to work.
_REST_S = 1.0
#: Mistakes of ours, which waiting does not mend.
_DEFECTS = (sa.exc.IntegrityError, sa.exc.DataError, sa.exc.ProgrammingError, sa.exc.NotSupportedError)
#: By dialect: INSERTs that know ON CONFLICT.
INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


@dataclass(frozen=True)
class Database:
    """An engine and how to use it. Safe to share between threads."""

    #: Runs each statement by itself: to begin and to commit cost as much as a statement.
    engine: sa.Engine
    #: The same connections, for transactions.
    writer: sa.Engine
    #: SQLite has one writer: threads of this process queue here, which is fair; its busy timeout is a blind poll.
    write_turn: AbstractContextManager[object]

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Lend a connection that only reads; each statement sees what is committed by then.

        Raises:
            LedgerUnavailable: the database cannot be reached.
        """
        with translated_errors(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """Lend a connection that only reads, and sees all as it is at one moment, however long that takes.

        Raises:
            LedgerUnavailable: the database cannot be reached.
        """
        with translated_errors(), self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":  # a transaction of SQLite is one moment anyway
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                begin_in_sqlite(connection, "BEGIN")
                yield connection

    def writing(self) -> AbstractContextManager[sa.Connection]:
        """Lend a connection in a transaction that writes; it commits at the end, or not at all.

        Raises:
            LedgerUnavailable: the database cannot be reached, or another process writes for longer than the timeout.
        """
        return self._writing(self.writer)

    def writing_once(self) -> AbstractContextManager[sa.Connection]:
        """Lend a connection for one statement that writes, and is a transaction of its own.

        Raises:
            LedgerUnavailable: as in `writing`.
        """
        return self._writing(self.engine)

    @contextmanager
    def _writing(self, engine: sa.Engine) -> Iterator[sa.Connection]:
        with (
            translated_errors(),
            self.write_turn,
            engine.connect() as connection,
            connection.begin(),
        ):
            begin_in_sqlite(connection, "BEGIN IMMEDIATE")
            yield connection

    def shred_deleted(self) -> None:
        """Drop the copies that SQLite's write-ahead log still holds of deleted rows, unless somebody reads just now.

        What is left then is overwritten by later writes. PostgreSQL has its own ways: VACUUM, and rotating its log.
        """
        if self.engine.dialect.name != "sqlite":
            return
        with translated_errors(), self.write_turn, self.engine.connect() as connection:
            cursor = connection.connection.cursor()  # of the driver: within a transaction it would be refused
            cursor.execute(f"PRAGMA busy_timeout = {_SHRED_PATIENCE_MS}")
            try:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}")
                cursor.close()


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn what SQLAlchemy and the drivers raise when a database is away into `LedgerUnavailable`."""
    try:
        yield
    except sa.exc.TimeoutError as error:
        raise LedgerUnavailable("every connection to the ledger's database is in use") from error
    except sa.exc.DBAPIError as error:
        if isinstance(error, _DEFECTS):
            raise
        sentence = " ".join(str(error.orig).split())
        raise LedgerUnavailable(f"the ledger's database does not answer as it should: {sentence}") from error


def connect(url: str) -> Database:
    """Make the engine for a URL; connects to nothing yet.

    Args:
        url: `sqlite:///path` (its directory is created) or `postgresql://user@host/database`.

    Raises:
        ConfigurationError: the URL cannot be read or names another kind of database.
    """
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise ConfigurationError(f"the ledger's URL cannot be read: {error}") from error
    kind = parsed.get_backend_name()
    if kind == "sqlite" and parsed.database:
        return _connect_sqlite(parsed, Path(parsed.database))
    if kind == "postgresql":
        return _connect_postgresql(parsed)
    raise ConfigurationError(f"the ledger lives in sqlite:///FILE or postgresql://..., not in {parsed!r}")


def _connect_sqlite(url: sa.URL, file: Path) -> Database:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"the ledger's directory {file.parent} cannot be made: {error.strerror}") from error
    engine = sa.create_engine(url, pool_size=16, max_overflow=48)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    return Database(engine, engine, Lock())


def _connect_postgresql(url: sa.URL) -> Database:
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=8,
        max_overflow=24,
        isolation_level="AUTOCOMMIT",
        connect_args=_POSTGRESQL_CONNECT,
    )
    sa.event.listen(engine, "connect", _prepare_postgresql)
    sa.event.listen(engine, "checkin", _note_use)
    sa.event.listen(engine, "checkout", _build_check(engine.dialect))
    return Database(engine, engine.execution_options(isolation_level="READ COMMITTED"), nullcontext())


def _prepare_postgresql(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
    # Not among the connection's parameters: a pooler such as PgBouncer refuses those it does not know.
    connection.execute(f"SET idle_in_transaction_session_timeout = {_POSTGRESQL_IDLE_TRANSACTION_MS}")
    connection.commit()


def _note_use(_connection: object, record: sa.pool.ConnectionPoolEntry) -> None:
    record.info["used_s"] = time.monotonic()


def _build_check(dialect: sa.Dialect) -> Callable[..., None]:
    """Build what asks a connection that rested whether the server still knows it.

    Asking each time costs as much as a statement. A connection that broke just now fails as it would in mid-work.
    """

    def check(connection: Any, record: sa.pool.ConnectionPoolEntry, _proxy: object) -> None:  # noqa: ANN401 - the driver's
        if time.monotonic() - record.info.get("used_s", math.inf) < _REST_S:
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise sa.exc.InvalidatePoolError from error

    return check


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
    # The driver would begin transactions late and only for some statements; `begin_in_sqlite` does it instead.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def begin_in_sqlite(connection: sa.Connection, how: str) -> None:
    """Make a transaction of what follows; elsewhere it is one already.

    Not a listener to SQLAlchemy's `begin`: an engine that has one looks for listeners at every step of every statement.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(how)


def insert_into(connection: sa.Connection, table: sa.Table) -> Any:  # noqa: ANN401 - two dialects' Insert classes
    """Begin an INSERT that knows ON CONFLICT."""
    return INSERTS[connection.dialect.name](table)


def insert_or_ignore(connection: sa.Connection, table: sa.Table) -> Any:  # noqa: ANN401 - two dialects' Insert classes
    """Begin an INSERT that leaves rows alone which exist already."""
    return insert_into(connection, table).on_conflict_do_nothing()
