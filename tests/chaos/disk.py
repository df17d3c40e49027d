"""A disk that can be filled: a tmpfs where mounting is allowed, else a limit on the files of the process."""

import errno
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PIECES = tuple(b"x" * size for size in (1_000_000, 4096))


@dataclass
class LittleDisk:
    """Owned by one scene."""

    path: Path
    size_mb: int
    is_mounted: bool = False

    @property
    def kind(self) -> str:
        """For the table."""
        return "tmpfs" if self.is_mounted else "RLIMIT_FSIZE"

    def create(self) -> None:
        self.path.mkdir()
        options = ["-t", "tmpfs", "-o", f"size={self.size_mb}m", "none", str(self.path)]
        self.is_mounted = subprocess.run(["mount", *options], check=False, capture_output=True).returncode == 0

    def remove(self) -> None:
        if self.is_mounted:
            subprocess.run(["umount", "--lazy", str(self.path)], check=True)

    def fill(self, pid: int) -> None:
        """Leave not a byte to this process."""
        if not self.is_mounted:
            _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))
            return
        with (self.path / "ballast").open("wb", buffering=0) as ballast:
            for piece in _PIECES:
                try:
                    while ballast.write(piece):
                        pass
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def is_full(self) -> bool:
        """Whether there is ballast in it."""
        return (self.path / "ballast").exists() or not self.is_mounted

    def free(self, pid: int) -> None:
        """Give the room back."""
        if self.is_mounted:
            (self.path / "ballast").unlink(missing_ok=True)
            return
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
