"""Time and fresh tokens as the database knows them, compiled for SQLite and PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC: `timestamptz` in PostgreSQL, milliseconds since 1970 in SQLite, which has no such type."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:  # noqa: ANN401 - the base class says Any
        """Choose the column type."""
        timestamptz = postgresql.TIMESTAMP(timezone=True)
        return dialect.type_descriptor(timestamptz if dialect.name == "postgresql" else sa.BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401 - as above
        """Write a moment that was read from the database: its clock makes every one, but for those of tests."""
        if value is None or dialect.name == "postgresql":
            return value
        return round(value.timestamp() * 1000)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401 - as above
        """Read a moment, timezone-aware."""
        if value is None:
            return None
        return value.astimezone(UTC) if dialect.name == "postgresql" else datetime.fromtimestamp(value / 1000, UTC)


class utc_now(FunctionElement[datetime]):  # noqa: N801 - reads as the SQL function it is
    """The database's clock: the same moment throughout one statement."""

    type = UtcTime()
    inherit_cache = True


class seconds_from_now(FunctionElement[datetime]):  # noqa: N801 - reads as the SQL function it is
    """The database's clock and a number of seconds, which may be negative."""

    type = UtcTime()
    inherit_cache = True

    def __init__(self, seconds: float | sa.BindParameter[float]) -> None:
        super().__init__(seconds if isinstance(seconds, sa.BindParameter) else sa.literal(float(seconds), sa.Double))


class fresh_token(FunctionElement[Any]):  # noqa: N801 - reads as the SQL function it is
    """128 random bits for every row, drawn by the database."""

    type = sa.Uuid()
    inherit_cache = True


@compiles(utc_now, "sqlite")
def _sqlite_now(_element: utc_now, _compiler: SQLCompiler, **_: object) -> str:
    return "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"


@compiles(utc_now, "postgresql")
def _postgresql_now(_element: utc_now, _compiler: SQLCompiler, **_: object) -> str:
    return "statement_timestamp()"


@compiles(seconds_from_now, "sqlite")
def _sqlite_from_now(element: seconds_from_now, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - compiler's own
    seconds = compiler.process(element.clauses, **options)
    return f"({compiler.process(utc_now())} + CAST({seconds} * 1000 AS INTEGER))"


@compiles(seconds_from_now, "postgresql")
def _postgresql_from_now(element: seconds_from_now, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - compiler's own
    return f"(statement_timestamp() + make_interval(secs => {compiler.process(element.clauses, **options)}))"


@compiles(fresh_token, "sqlite")
def _sqlite_token(_element: fresh_token, _compiler: SQLCompiler, **_: object) -> str:
    return "lower(hex(randomblob(16)))"


@compiles(fresh_token, "postgresql")
def _postgresql_token(_element: fresh_token, _compiler: SQLCompiler, **_: object) -> str:
    return "gen_random_uuid()"
