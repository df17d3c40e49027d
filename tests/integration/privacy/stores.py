"""Everything that a fleet keeps, read as bytes: whoever is looked for is found wherever they are."""

import base64
import json
import struct
from collections.abc import Iterator
from pathlib import Path

import redis
import sqlalchemy as sa

from facefleet.face_records import Template
from facefleet.ledger.engine import Ledger


def spellings(text: str) -> list[bytes]:
    """A text as files and databases write it: as it is, as JSON, and an id without its hyphens or as 16 bytes."""
    found = [text.encode(), json.dumps(text)[1:-1].encode()]
    if len(text) == 36 and text.count("-") == 4:
        digits = text.replace("-", "")
        found += [digits.encode(), bytes.fromhex(digits)]
    return found


def spellings_of(template: Template) -> list[bytes]:
    """A part of a template as floats, as the log of the embedded gallery has it (CBOR), and as JSON."""
    part = template[10:14]
    shown = json.dumps([float(each) for each in part])[1:-1]
    return [
        part.astype("<f4").tobytes(),
        b"".join(b"\xfa" + struct.pack(">f", each) for each in part),
        shown.encode(),
        shown.replace(" ", "").encode(),
    ]


def files_below(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Files of the data directory: the SQLite file and its log, the gallery, the uploads."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = str(path.relative_to(folder))
            yield f"{name} ", name.encode() + b"\0" + path.read_bytes()


def messages_of(url: str) -> Iterator[tuple[str, bytes]]:
    """Everything in a Redis, the bodies of messages decoded."""
    with redis.Redis.from_url(url) as client:
        for key in client.keys("*"):
            yield f"redis {key.decode()}", key + b"\0" + _decode(b"\0".join(_values(client, key)))


def _values(client: "redis.Redis", key: bytes) -> list[bytes]:
    kind = client.type(key)
    if kind == b"list":
        return list(client.lrange(key, 0, -1))
    if kind == b"hash":
        return [part for pair in client.hgetall(key).items() for part in pair]
    if kind == b"zset":
        return list(client.zrange(key, 0, -1))
    return list(client.smembers(key)) if kind == b"set" else [client.get(key)]


def _decode(content: bytes) -> bytes:
    bodies = content.split(b'"body": "')[1:]
    return content + b"".join(base64.b64decode(each.partition(b'"')[0]) for each in bodies)


def rows_of(ledger: Ledger, *but: str) -> Iterator[tuple[str, bytes]]:
    """Every row of every table, as text."""
    tables = sa.MetaData()
    with ledger.database.reading() as connection:
        tables.reflect(connection)
        for table in tables.sorted_tables:
            if table.name not in but:
                rows = connection.execute(sa.select(table)).all()
                yield f"table {table.name}", "\n".join(str(tuple(row)) for row in rows).encode()


def places_of(wanted: list[bytes], *places: Iterator[tuple[str, bytes]]) -> set[str]:
    """Where any of these bytes are."""
    return {name for place in places for name, content in place if any(each in content for each in wanted)}
