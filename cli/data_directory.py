"""Who holds the data directory: a lock that lives as long as its process, and a note on where its server listens."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from facefleet.errors import ConfigurationError, DataDirectoryInUse

_LOCK = "server.lock"
_NOTE = "server.json"


class ServerNote(NamedTuple):
    """What the holder of a data directory says about its server."""

    url: str
    #: Opens everything: whoever may read the directory owns what is in it.
    key: str


class HeldDirectory(NamedTuple):
    """Proof that this process alone owns the data directory."""

    path: Path

    def publish(self, url: str, key: str) -> None:
        """Tell other commands of this user where the server listens; the note appears whole or not at all."""
        draft = self.path / f"{_NOTE}.{os.getpid()}"
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(json.dumps({"url": url, "key": key, "pid": os.getpid()}), encoding="utf-8")
        draft.replace(self.path / _NOTE)

    def withdraw(self) -> None:
        """Remove the note, also one that a process left behind when it was killed."""
        (self.path / _NOTE).unlink(missing_ok=True)


@contextmanager
def hold_data_directory(data_dir: Path) -> Iterator[HeldDirectory]:
    """Own the data directory for as long as the block lasts. The kernel ends the hold even when the process is killed.

    Args:
        data_dir: absolute; made when it is missing, readable by its owner only, because templates are biometric data.

    Raises:
        DataDirectoryInUse: another process holds it.
        ConfigurationError: it cannot be made or written.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (data_dir / _LOCK).open("w", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"the data directory {data_dir} cannot be used: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataDirectoryInUse(_describe_holder(data_dir)) from error
        held = HeldDirectory(data_dir)
        held.withdraw()
        try:
            yield held
        finally:
            held.withdraw()


def read_server_note(data_dir: Path) -> ServerNote | None:
    """Return what the holder published, if anything. Only the lock says whether it still lives."""
    try:
        note = json.loads((data_dir / _NOTE).read_text(encoding="utf-8"))
        return ServerNote(str(note["url"]), str(note["key"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _describe_holder(data_dir: Path) -> str:
    note = read_server_note(data_dir)
    where = f", a server at {note.url}" if note else ""
    return f"another process holds the data directory {data_dir}{where}; stop it, or set FACEFLEET_DATA_DIR to another"
