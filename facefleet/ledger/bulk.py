"""Many ids or rows in one statement whose text never changes.

Building a statement, sending its values one by one and planning it costs more than what it does.
"""

import json
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, Self
from uuid import UUID

import sqlalchemy as sa
from pydantic_core import to_json
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, UserDefinedType

from facefleet.ledger.database import INSERTS


class _UuidArray(UserDefinedType[str]):
    """PostgreSQL's array of ids, in its text form: the driver takes far longer to write one from a list."""

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **_: object) -> str:
        """Name the type."""
        return "UUID[]"


class _Ids(TypeDecorator[Collection[UUID]]):
    """Any number of ids in one text: an array's in PostgreSQL, JSON in SQLite, which has no arrays."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:  # noqa: ANN401 - the base class says Any
        """Choose the parameter's type."""
        return dialect.type_descriptor(_UuidArray() if dialect.name == "postgresql" else sa.Text())

    def process_bind_param(self, value: Collection[UUID] | None, dialect: Dialect) -> str:
        """Write ids as the tables have them: SQLite's are hexadecimal digits."""
        ids = [each.hex for each in value or ()]
        return f"{{{','.join(ids)}}}" if dialect.name == "postgresql" else json.dumps(ids)


class is_in(FunctionElement[bool]):  # noqa: N801 - reads as the SQL operator it is
    """Whether an id is among those of a parameter, which takes any collection of them."""

    type = sa.Boolean()
    inherit_cache = True

    def __init__(self, column: sa.ColumnElement[UUID], parameter: str) -> None:
        super().__init__(column, sa.bindparam(parameter, type_=_Ids()))

    def self_group(self, against: OperatorType | None = None) -> Self:  # noqa: ARG002  the base class's
        """Stand in a condition as it is: the `= 1` that SQLAlchemy appends for SQLite keeps that from every index."""
        return self


@compiles(is_in, "sqlite")
def _sqlite_is_in(element: is_in, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - compiler's own
    column, ids = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({ids}))"  # noqa: S608  both are the compiler's


@compiles(is_in, "postgresql")
def _postgresql_is_in(element: is_in, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - compiler's own
    column, ids = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} = ANY ({ids})"


def insert_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows that name the same columns; none are fine."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(table.insert(), rows)
    else:
        connection.execute(insert_given(table, tuple(rows[0])), given(rows))


def insert_new_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> set[UUID]:
    """Insert rows that name the same columns, but those that exist already; returns the ids of the new ones."""
    if not rows:
        return set()
    if connection.dialect.name == "sqlite":
        insert = INSERTS["sqlite"](table).on_conflict_do_nothing().returning(table.c.id)
        return set(connection.execute(insert, rows).scalars())
    insert = insert_given(table, tuple(rows[0])).on_conflict_do_nothing().returning(table.c.id)
    return set(connection.execute(insert, given(rows)).scalars())


class RowUpdate:
    """Sets some columns of many rows, each to its own value, and others to the same."""

    def __init__(self, table: sa.Table, **same: Any) -> None:  # noqa: ANN401 - whatever a column takes
        """Take the columns that become the same in all rows."""
        self._table = table
        self._same = same
        self._one_by_one = table.update().where(table.c.id == sa.bindparam("id_")).values(same)
        self.build_together = lru_cache(self._build_together)

    def run(self, connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Update rows.

        Args:
            connection: of a transaction that writes.
            rows: each with its `id_` and its values of the same columns; none are fine.
        """
        if not rows:
            return
        if connection.dialect.name == "sqlite":
            connection.execute(self._one_by_one, rows)
        else:
            ids = {"ids": [row["id_"] for row in rows]}
            connection.execute(self.build_together(tuple(rows[0])), given(rows) | ids)

    def _build_together(self, names: tuple[str, ...], parameter: str = "rows") -> sa.Update:
        given = _select_given(self._table, names, parameter).subquery("given")
        own = {name: given.c[name] for name in names if name != "id_"}
        # Said twice: PostgreSQL takes `given` for a hundred rows, and would read all of a small table to join them.
        mine = sa.and_(is_in(self._table.c.id, "ids"), self._table.c.id == given.c.id_)
        return self._table.update().where(mine).values(own | self._same)


@lru_cache
def insert_given(
    table: sa.Table, names: tuple[str, ...], parameter: str = "rows", *conditions: sa.ColumnElement[bool]
) -> Any:  # noqa: ANN401 - a dialect's Insert class
    """Insert the rows of a parameter in PostgreSQL; of none if a condition does not hold."""
    return INSERTS["postgresql"](table).from_select(names, _select_given(table, names, parameter).where(*conditions))


def _select_given(table: sa.Table, names: tuple[str, ...], parameter: str) -> sa.Select[Any]:
    """Select the rows of a parameter, for PostgreSQL; nothing travels to SQLite: it runs a statement a row."""
    columns = [sa.column(name, table.c[name.rstrip("_")].type) for name in names]
    rows = sa.cast(sa.bindparam(parameter, type_=sa.Text), sa.JSON)
    return sa.select(
        sa.func.json_to_recordset(rows).table_valued(*columns, name="sent").render_derived(with_types=True)
    )


def given(rows: Sequence[dict[str, Any]], parameter: str = "rows") -> dict[str, str]:
    """Write rows as the value of a parameter."""
    return {parameter: to_json(rows).decode()}  # a fifth of what `json` takes, which asks back for every id
