"""Where photos are: folders and S3, behind one set of methods that go by the scheme of a URI."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from facefleet.errors import AccessDenied, InvalidRequest
from facefleet.photo_store.folder import FolderPhotoStore
from facefleet.photo_store.s3 import S3PhotoStore
from facefleet.photo_store.uris import file_uri, path_of_uri, s3_uri, scheme_of, show_path, split_s3_uri
from facefleet.records import PhotoRef
from facefleet.settings import Settings


class PhotoStore(Protocol):
    """Lists photos, reads them, and keeps uploads. Safe to call from several threads.

    Every method raises `PhotoStoreUnavailable` when the store cannot be reached and `AccessDenied` when it refuses.
    """

    def list_photos(self, source: str) -> Iterator[PhotoRef]:
        """List what may be a photo, in the order of the names, without opening anything.

        Args:
            source: a canonical source URI (`source_uri`): a folder, one file, or a bucket with a prefix.

        Raises:
            InvalidRequest: there is no such folder or bucket.
        """

    def read(self, uri: str, version: str, max_bytes: int) -> bytes:
        """Read one photo, whole.

        Args:
            uri: as listed.
            version: as listed, or a `content_version`: then the bytes themselves are compared. S3 takes an empty one
                for whatever is there.
            max_bytes: a larger photo is refused unread.

        Raises:
            PhotoNotFound: it is gone.
            PhotoChanged: what is there now has another version.
            PhotoTooLarge: it has more than `max_bytes`.
            PhotoUndecodable: it is no file.
        """

    def write(self, uri: str, data: bytes) -> PhotoRef:
        """Keep a photo, replacing what was there; readers see the old bytes or the new, never a part."""

    def delete(self, uri: str) -> None:
        """Remove a photo; one that is gone already is no error."""

    def delete_prefix(self, uri: str) -> None:
        """Remove everything below a folder, or whose key begins with this one and a slash."""

    def check(self, uri: str) -> None:
        """Return when what the URI lies in can be reached."""


class PhotoStores:
    """The store of every scheme. Only uploads are ever written or deleted: a source belongs to its owner."""

    def __init__(self, stores: dict[str, PhotoStore], upload_url: str) -> None:
        """Combine stores.

        Args:
            stores: by URI scheme.
            upload_url: the root of what may be written and deleted.
        """
        self._stores = stores
        self._upload_root = upload_url.rstrip("/") + "/"

    def check_uploads(self) -> None:
        """Return when uploads could be kept. See `PhotoStore.check`."""
        self._store(self._upload_root).check(self._upload_root)

    def list_photos(self, source: str) -> Iterator[PhotoRef]:
        """List a source. See `PhotoStore.list_photos`."""
        return self._store(source).list_photos(source)

    def read(self, uri: str, version: str, max_bytes: int) -> bytes:
        """Read one photo. See `PhotoStore.read`."""
        return self._store(uri).read(uri, version, max_bytes)

    def write(self, uri: str, data: bytes) -> PhotoRef:
        """Keep an upload. See `PhotoStore.write`.

        Raises:
            AccessDenied: the URI is not below the upload root.
        """
        return self._upload_store(uri).write(uri, data)

    def delete(self, uri: str) -> None:
        """Remove an upload. See `PhotoStore.delete`; raises as `write` does."""
        self._upload_store(uri).delete(uri)

    def delete_prefix(self, uri: str) -> None:
        """Remove a folder of uploads. See `PhotoStore.delete_prefix`; raises as `write` does."""
        self._upload_store(uri).delete_prefix(uri)

    def _store(self, uri: str) -> PhotoStore:
        try:
            return self._stores[scheme_of(uri)]
        except KeyError:
            raise InvalidRequest(f"photos are read from folders and from s3://, not from {uri}") from None

    def _upload_store(self, uri: str) -> PhotoStore:
        below = uri.startswith(self._upload_root) and len(uri) > len(self._upload_root)
        if not below or (scheme_of(uri) == "file" and ".." in Path(path_of_uri(uri)).parts):
            raise AccessDenied(f"{uri} is not below the uploads ({self._upload_root})")
        return self._store(uri)


def source_uri(text: str) -> str:
    """Turn what a person types into a canonical source URI; a canonical one stays as it is.

    Args:
        text: a path (absolute, relative, with `~`), `file:///path` or `s3://bucket/prefix`. In the two URIs `%20` is a
            space; a `%` that begins no escape is itself.

    Raises:
        InvalidRequest: it is nothing of these, or there is no such folder or file.
    """
    scheme = scheme_of(text)
    if scheme == "s3":
        return s3_uri(*split_s3_uri(text))
    if scheme not in {"", "file"}:
        raise InvalidRequest(f"photos are read from folders and from s3://, not from {text}")
    path = path_of_uri(text) if scheme else os.path.expanduser(text)  # noqa: PTH111  (Path raises on unknown users)
    if not text or "\0" in path or not os.path.lexists(path):
        raise InvalidRequest(f"no such folder: {show_path(path) or '(nothing)'}")
    return file_uri(Path(os.path.abspath(path)))  # noqa: PTH100  (Path.absolute keeps `..`)


def open_photo_stores(settings: Settings) -> PhotoStores:
    """Make the stores that the settings describe; nothing is connected yet.

    Args:
        settings: `upload_url` and the `s3_*` values are used.
    """
    s3 = S3PhotoStore(
        endpoint_url=settings.s3_endpoint_url,
        connect_timeout_s=settings.s3_connect_timeout_s,
        read_timeout_s=settings.s3_read_timeout_s,
    )
    return PhotoStores({"file": FolderPhotoStore(), "s3": s3}, settings.resolved_upload_url)
