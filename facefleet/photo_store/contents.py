"""Versions that are a hash of the bytes: a photo that is sent twice has the same one, whatever store keeps it."""

import hashlib

from facefleet.errors import PhotoChanged

_PREFIX = "sha256-"


def content_version(data: bytes) -> str:
    """Name these bytes, and no others."""
    return _PREFIX + hashlib.sha256(data).hexdigest()


def is_content_version(version: str) -> bool:
    """Tell whether a version says what the bytes are, and not, as a store's own does, when they were written."""
    return version.startswith(_PREFIX)


def require_content(uri: str, version: str, data: bytes) -> None:
    """Compare what was read with a version that names its bytes; a store's own version is left to the store.

    Raises:
        PhotoChanged: other bytes have taken its place.
    """
    if not is_content_version(version):
        return
    now = content_version(data)
    if now != version:
        raise PhotoChanged(f"{uri} was replaced", new_version=now, size_bytes=len(data))
