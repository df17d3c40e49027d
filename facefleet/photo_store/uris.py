"""Photo URIs: `file:///path` and `s3://bucket/key`, percent-encoded so that every name there is comes back the same."""

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from facefleet.errors import InvalidRequest

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")


def scheme_of(uri: str) -> str:
    """Name the scheme in lower case; empty for a path."""
    match = _SCHEME.match(uri)
    return match.group(1).lower() if match else ""


def file_uri(path: Path) -> str:
    """Name a file by its absolute path."""
    return "file://" + quote(os.fsencode(path))


def path_of_uri(uri: str) -> str:
    """Take the path out of a file URI, undecodable bytes as Python's surrogates.

    Raises:
        InvalidRequest: it names another machine.
    """
    path = _SCHEME.sub("", uri, count=1).removeprefix("localhost")
    if not path.startswith("/"):
        raise InvalidRequest(f"not a folder of this machine: {uri}")
    return os.fsdecode(unquote_to_bytes(path))


def s3_uri(bucket: str, key: str) -> str:
    """Name an object, or every object whose key begins with `key`."""
    return f"s3://{bucket}/{quote(key)}"


def split_s3_uri(uri: str) -> tuple[str, str]:
    """Take bucket and key out of an S3 URI.

    Raises:
        InvalidRequest: there is no bucket in it, or the key is not UTF-8.
    """
    bucket, _, key = _SCHEME.sub("", uri, count=1).partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise InvalidRequest(f"not the name of an S3 bucket: {bucket!r} in {uri}")
    try:
        return bucket, unquote_to_bytes(key).decode()
    except UnicodeError as error:
        raise InvalidRequest(f"not an S3 key: {key!r} is not UTF-8") from error


def show_path(path: str | Path) -> str:
    """Spell a path in Unicode: bytes that are none appear as backslash, x and their two digits."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
