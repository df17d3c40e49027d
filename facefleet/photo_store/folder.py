"""Photos in a folder of this machine, or of whatever is mounted there."""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

from facefleet.errors import (
    AccessDenied,
    FacefleetError,
    InvalidRequest,
    PhotoChanged,
    PhotoNotFound,
    PhotoStoreUnavailable,
    PhotoTooLarge,
    PhotoUndecodable,
)
from facefleet.photo_store.contents import is_content_version, require_content
from facefleet.photo_store.names import may_be_photo
from facefleet.photo_store.uris import file_uri, path_of_uri, show_path
from facefleet.records import PhotoRef

#: Version of a link that points to nothing.
_MISSING = "missing"
#: What the system's refusal says about the photo; any other one is the store's trouble.
_ERRORS: Final[dict[int | None, tuple[type[FacefleetError], str]]] = {
    errno.ENOENT: (PhotoNotFound, "is gone"),
    errno.ENOTDIR: (PhotoNotFound, "is gone"),
    errno.ELOOP: (PhotoNotFound, "is a link that points to itself"),
    errno.ENAMETOOLONG: (PhotoNotFound, "has a path too long to open"),
    errno.EACCES: (AccessDenied, "may not be read: permission denied"),
    errno.EPERM: (AccessDenied, "may not be read: permission denied"),
    errno.EISDIR: (PhotoUndecodable, "is a folder, not a photo"),
    errno.ENXIO: (PhotoUndecodable, "is not a regular file"),
}


class FolderPhotoStore:
    """Implements `PhotoStore` for `file:` URIs; keeps no state."""

    def list_photos(self, source: str) -> Iterator[PhotoRef]:
        """List a folder with its subfolders, or one file. See `PhotoStore.list_photos`.

        Hidden files and folders are left out, and what is neither file nor link; links to folders are not followed.
        A subfolder that cannot be read is listed as one photo: it ends dead with the reason and is not just missing.
        """
        root = Path(path_of_uri(source))
        if root.is_dir():
            return _walk(root)
        photo = _ref_of(root, root.name)
        if photo is None:
            raise InvalidRequest(f"no such folder: {show_path(root)}")
        return iter([photo])

    def read(self, uri: str, version: str, max_bytes: int) -> bytes:
        """Read one file. See `PhotoStore.read`."""
        path = Path(path_of_uri(uri))
        # Without O_NONBLOCK, opening a pipe that took the photo's place waits for a writer.
        with _system_errors(path), os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise PhotoUndecodable(f"{show_path(path)} is not a regular file")
            _require_version(path, found, version)
            if found.st_size > max_bytes:
                raise PhotoTooLarge(f"{show_path(path)} has {found.st_size} bytes, more than the {max_bytes} allowed")
            data = file.read(found.st_size)
            # Written to while it was read: what came may be half old, half new.
            _require_version(path, os.fstat(file.fileno()), version)
        require_content(uri, version, data)
        return data

    def write(self, uri: str, data: bytes) -> PhotoRef:
        """Keep a photo: written beside its place, synced, then moved there. See `PhotoStore.write`."""
        path = Path(path_of_uri(uri))
        unfinished = path.with_name(f".{uuid4().hex}.unfinished")
        with _system_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with unfinished.open("xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                    version = _version_of(os.fstat(file.fileno()))
                unfinished.replace(path)
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise
            _sync_directory(path.parent)
        return PhotoRef(uri, show_path(path.name), version, len(data))

    def delete(self, uri: str) -> None:
        """Remove one file. See `PhotoStore.delete`."""
        path = Path(path_of_uri(uri))
        with _system_errors(path), suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()

    def delete_prefix(self, uri: str) -> None:
        """Remove a folder. See `PhotoStore.delete_prefix`."""
        path = Path(path_of_uri(uri))
        with _system_errors(path), suppress(FileNotFoundError, NotADirectoryError):
            shutil.rmtree(path)

    def check(self, uri: str) -> None:
        """Look whether the folder, or the nearest one above it, may be written to. See `PhotoStore.check`."""
        folder = Path(path_of_uri(uri))
        nearest = next(each for each in (folder, *folder.parents) if each.exists())
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise PhotoStoreUnavailable(f"the folder {show_path(nearest)} may not be written to")


def _walk(root: Path) -> Iterator[PhotoRef]:
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted((entry for entry in listing if not entry.name.startswith(".")), key=_name_of)
        except OSError as error:
            yield _unreadable_folder(root, folder, error)
            continue
        yield from _photos_in(root, entries)
        folders += [Path(entry) for entry in reversed(entries) if entry.is_dir(follow_symlinks=False)]


def _name_of(entry: os.DirEntry[str]) -> str:
    return entry.name


def _photos_in(root: Path, entries: list[os.DirEntry[str]]) -> Iterator[PhotoRef]:
    for entry in entries:
        if may_be_photo(entry.name) and not entry.is_dir(follow_symlinks=False):
            path = Path(entry)
            photo = _ref_of(path, path.relative_to(root))
            if photo is not None:
                yield photo


def _unreadable_folder(root: Path, folder: Path, error: OSError) -> PhotoRef:
    if folder == root:
        raise InvalidRequest(f"the folder {show_path(root)} cannot be read: {error.strerror}") from error
    if error.errno not in _ERRORS:
        raise PhotoStoreUnavailable(f"the folder {show_path(folder)} cannot be read: {error.strerror}") from error
    return PhotoRef(file_uri(folder), show_path(folder.relative_to(root)) + "/", _MISSING, 0)


def _ref_of(path: Path, name: str | Path) -> PhotoRef | None:
    """Describe a file or a link to one; None for a pipe, a socket, a device, a folder, and what has just gone."""
    try:
        found = path.stat()
    except OSError as error:
        is_there = error.errno == errno.ENAMETOOLONG or path.is_symlink()
        return PhotoRef(file_uri(path), show_path(name), _MISSING, 0) if is_there else None
    if not stat.S_ISREG(found.st_mode):
        return None
    return PhotoRef(file_uri(path), show_path(name), _version_of(found), found.st_size)


def _require_version(path: Path, found: os.stat_result, version: str) -> None:
    now = _version_of(found)
    if now != version and not is_content_version(version):
        raise PhotoChanged(f"{show_path(path)} was replaced", new_version=now, size_bytes=found.st_size)


def _version_of(found: os.stat_result) -> str:
    return f"{found.st_mtime_ns:x}-{found.st_size:x}"


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _system_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOENT and path.is_symlink():
            raise PhotoNotFound(f"{show_path(path)} is a link that points to nothing") from error
        if error.errno in _ERRORS:
            kind, what = _ERRORS[error.errno]
            raise kind(f"{show_path(path)} {what}") from error
        raise PhotoStoreUnavailable(f"{show_path(path)} cannot be reached: {error.strerror}") from error
