"""One process at a time owns a directory."""

import fcntl
import os
import sys
from pathlib import Path
from typing import TextIO

from facefleet.errors import ConfigurationError, DataDirectoryInUse


def lock_directory(directory: Path) -> TextIO:
    """Take the exclusive lock on `directory/.lock`; closing the file, or dying, lets go of it.

    Args:
        directory: made when missing.

    Raises:
        DataDirectoryInUse: another process has it; the message names that process.
        ConfigurationError: the directory cannot be written.
    """
    path = directory / ".lock"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock_file = path.open("a+")
    except OSError as error:
        raise ConfigurationError(f"the gallery cannot be kept in {directory}: {error.strerror}") from error
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock_file.seek(0)
        holder = lock_file.read().strip() or "another process"
        lock_file.close()
        raise DataDirectoryInUse(f"{directory} is in use by {holder}") from error
    lock_file.truncate(0)
    lock_file.write(f"process {os.getpid()} ({Path(sys.argv[0]).name} {' '.join(sys.argv[1:2])})\n".replace(" )", ")"))
    lock_file.flush()
    return lock_file
