"""An album file as it comes from somewhere: nothing in it is believed.

Members are stored uncompressed and columns are flat, so what a row takes in memory is bounded by its bytes in the file;
a Parquet page that claims otherwise meets the memory limit of `checking`, which reads the whole file once before a row
of it is used.
"""

import json
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Final
from uuid import UUID
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import numpy as np

from facefleet.album_files.columns import (
    FORMAT_NAME,
    FORMAT_VERSION,
    LANDMARK_BYTES,
    MANIFEST,
    TABLES,
    Column,
    Kind,
    Manifest,
)
from facefleet.album_files.parquet import Row, read_table
from facefleet.errors import AlbumFileRefused

_MEMBERS: Final = frozenset({MANIFEST, *(f"{table}.parquet" for table in TABLES)})
_MANIFEST_MAX_BYTES: Final = 65_536
_TEXT_MAX_CHARS: Final = 16_384
_MOST_DIMENSIONS: Final = 4096
#: Float32 keeps a norm of 1 to a few millionths.
_NORM_TOLERANCE: Final = 1e-3
_INT32: Final = 2**31


@dataclass(frozen=True)
class AlbumFile:
    """An open file whose members are those of an album; `rows` checks each row by itself."""

    archive: ZipFile
    manifest: Manifest

    def pages(self, table: str) -> Iterator[Sequence[Row]]:
        """Walk a table; ids come as UUID, templates as float32.

        Raises:
            AlbumFileRefused: it is damaged, or a value cannot be.
        """
        dimensions, columns, count = self.manifest.dimensions, TABLES[table], 0
        try:
            with self.archive.open(f"{table}.parquet") as member:
                for page in read_table(member, table, dimensions):
                    count += len(page)
                    yield [_read_row(table, columns, row, dimensions) for row in page]
        except AlbumFileRefused:
            raise
        except Exception as error:  # arro3 raises plain ones too
            raise AlbumFileRefused(f"{table}.parquet cannot be read: {error}") from error
        if count != self.manifest.rows[table]:
            raise AlbumFileRefused(f"{table}.parquet has {count} rows; the manifest says {self.manifest.rows[table]}")


@contextmanager
def open_album_file(path: Path) -> Iterator[AlbumFile]:
    """Open a file for as long as the block lasts.

    Raises:
        AlbumFileRefused: it is no album file, or of a later format.
    """
    try:
        # A pipe or a device would be waited for.
        if not stat.S_ISREG(path.stat().st_mode):
            raise AlbumFileRefused(f"{path} is no file")
        with ZipFile(path) as archive:
            _check_members(archive)
            yield AlbumFile(archive, _read_manifest(archive.read(MANIFEST)))
    except BadZipFile as error:
        raise AlbumFileRefused(f"{path} is no album file: {error}") from error
    except OSError as error:
        raise AlbumFileRefused(f"{path} cannot be read: {error.strerror or error}") from error


def _check_members(archive: ZipFile) -> None:
    names = archive.namelist()
    if len(names) != len(_MEMBERS) or set(names) != _MEMBERS:
        raise AlbumFileRefused("it is no album file: it does not have the members of one, or has others beside them")
    for info in archive.infolist():
        if info.compress_type != ZIP_STORED or info.file_size != info.compress_size or info.flag_bits & 1:
            raise AlbumFileRefused(f"{info.filename} is compressed or encrypted, which it never is in an album file")
    if archive.getinfo(MANIFEST).file_size > _MANIFEST_MAX_BYTES:
        raise AlbumFileRefused(f"{MANIFEST} has more than {_MANIFEST_MAX_BYTES:,} bytes")


def _read_manifest(data: bytes) -> Manifest:
    try:
        said = json.loads(data)
        if said["format"] != FORMAT_NAME:
            raise AlbumFileRefused("it is no album file: its manifest says so")
        if said["version"] != FORMAT_VERSION:
            sentence = f"the file's format is version {said['version']!r}; this Facefleet reads {FORMAT_VERSION}"
            raise AlbumFileRefused(sentence)
        rows = {table: said["rows"][table] for table in TABLES}
        manifest = Manifest(said["album"], said["model_version"], said["dimensions"], said["exported_at"], rows)
    except (ValueError, KeyError, TypeError) as error:
        raise AlbumFileRefused(f"{MANIFEST} is not what it has to be ({type(error).__name__}: {error})") from error
    texts = (manifest.album, manifest.model_version, manifest.exported_at)
    counts = (manifest.dimensions, *rows.values())
    if not all(isinstance(each, str) and len(each) <= _TEXT_MAX_CHARS for each in texts):
        raise AlbumFileRefused(f"{MANIFEST}: album, model_version and exported_at have to be texts")
    if not all(type(each) is int and each >= 0 for each in counts):
        raise AlbumFileRefused(f"{MANIFEST}: dimensions and rows have to be counts")
    if not 1 <= manifest.dimensions <= _MOST_DIMENSIONS:
        raise AlbumFileRefused(f"{MANIFEST}: templates of {manifest.dimensions} dimensions are none")
    return manifest


def _read_row(table: str, columns: Any, row: Row, dimensions: int) -> Row:  # noqa: ANN401  a table
    read = {}
    for name, column in columns.items():
        try:
            read[name] = _read_value(column, row[name], dimensions)
        except ValueError as error:
            raise AlbumFileRefused(f"{table}.parquet: {name} of a row {error}") from error
    return read


def _read_value(column: Column, value: Any, dimensions: int) -> Any:  # noqa: ANN401  whatever a column holds
    if value is None:
        if column.nullable:
            return None
        raise ValueError("is empty")
    return _READERS[column.kind](value, dimensions)


def _read_uuid(value: str, _dimensions: int) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise ValueError(f"is no UUID: {value[:40]!r}") from None


def _read_text(value: str, _dimensions: int) -> str:
    if len(value) > _TEXT_MAX_CHARS or "\0" in value:
        raise ValueError(f"has more than {_TEXT_MAX_CHARS:,} characters, or a NUL")
    return value


def _read_integer(value: int, _dimensions: int) -> int:
    if not 0 <= value < 2**53:
        raise ValueError(f"is out of range: {value}")
    return value


def _read_number(value: float, _dimensions: int) -> float:
    if not isfinite(value) or abs(value) > _INT32:
        raise ValueError(f"is no number that can be: {value}")
    return value


def _read_truth(value: bool, _dimensions: int) -> bool:  # noqa: FBT001  a value
    return value


def _read_landmarks(value: bytes, _dimensions: int) -> list[float]:
    points = np.frombuffer(value, "<f4")
    if len(value) != LANDMARK_BYTES or not np.isfinite(points).all() or np.abs(points).max() > _INT32:
        raise ValueError("are no ten finite numbers")
    return [float(each) for each in points]


def _read_template(value: bytes, dimensions: int) -> Any:  # noqa: ANN401  an array
    template = np.frombuffer(value, "<f4").astype(np.float32)
    if len(template) != dimensions or not np.isfinite(template).all():
        raise ValueError(f"has not {dimensions} finite numbers")
    if abs(float(np.linalg.norm(template)) - 1) > _NORM_TOLERANCE:
        raise ValueError("is not of length 1")
    return template


_READERS: Final[dict[Kind, Callable[[Any, int], Any]]] = {
    Kind.UUID: _read_uuid,
    Kind.TEXT: _read_text,
    Kind.INTEGER: _read_integer,
    Kind.NUMBER: _read_number,
    Kind.TRUTH: _read_truth,
    Kind.LANDMARKS: _read_landmarks,
    Kind.TEMPLATE: _read_template,
}
