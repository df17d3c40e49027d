"""Tables of an album file as Parquet: uncompressed, without dictionaries, a thousand rows at a time.

arro3 reads and writes Parquet with Apache's own Rust library, in a fifth of pyarrow's size.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, Final

from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader, Schema
from arro3.io import read_parquet, write_parquet

from facefleet.album_files.columns import LANDMARK_BYTES, TABLES, Kind

#: Rows in memory at once.
PAGE_ROWS: Final = 1000

#: A row: values by column.
Row = Mapping[str, Any]


def _fields_of(table: str, dimensions: int) -> list[Field]:
    """Say what a table looks like whose templates have so many dimensions."""
    types = {
        Kind.UUID: DataType.string(),
        Kind.TEXT: DataType.string(),
        Kind.INTEGER: DataType.int64(),
        Kind.NUMBER: DataType.float64(),
        Kind.TRUTH: DataType.bool(),
        Kind.LANDMARKS: DataType.binary(LANDMARK_BYTES),
        Kind.TEMPLATE: DataType.binary(4 * dimensions),
    }
    return [Field(name, types[each.kind], nullable=each.nullable) for name, each in TABLES[table].items()]


def write_table(file: IO[bytes], table: str, dimensions: int, pages: Iterator[Sequence[Row]]) -> None:
    """Write a table; one page at a time is in memory."""
    fields = _fields_of(table, dimensions)
    schema = Schema(fields)
    batches = (
        RecordBatch.from_arrays(
            [Array([row[field.name] for row in page], field.type) for field in fields], schema=schema
        )
        for page in pages
        if page
    )
    stream = RecordBatchReader.from_batches(schema, batches)
    write_parquet(stream, file, compression="uncompressed", dictionary_enabled=False, max_row_group_size=PAGE_ROWS)


def read_table(file: IO[bytes], table: str, dimensions: int) -> Iterator[Sequence[Row]]:
    """Read a table page by page.

    Raises:
        ValueError: its columns are others.
        Exception: it is no Parquet; arro3 raises many.
    """
    stream = read_parquet(file, batch_size=PAGE_ROWS)
    found = [stream.schema.field(name) for name in stream.schema.names]
    expected = _fields_of(table, dimensions)
    if [(each.name, each.type) for each in found] != [(each.name, each.type) for each in expected]:
        raise ValueError(f"{table} has other columns than {', '.join(TABLES[table])}")
    for batch in stream:
        columns = [batch.column(name).to_pylist() for name in TABLES[table]]
        yield [dict(zip(TABLES[table], values, strict=True)) for values in zip(*columns, strict=True)]
