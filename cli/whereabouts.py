"""The two settings that every command needs before anything else, read without the weight of the whole class.

Loading `facefleet.settings` takes longer than a search on a running server; a test holds the two to the same answer.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from facefleet.data_directory import default_data_dir

_DOTENV = Path(".env")


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a command looks for a server."""

    #: URL of the server, or nothing.
    server: str
    #: Absolute.
    data_dir: Path


def find_whereabouts() -> Whereabouts:
    """Read `FACEFLEET_SERVER` and `FACEFLEET_DATA_DIR` from the environment, then from `.env`."""
    values = _read_dotenv() | _lower(os.environ)
    named = values.get("facefleet_data_dir")
    return Whereabouts(values.get("facefleet_server", ""), resolve_data_dir(Path(named) if named else None))


def resolve_data_dir(data_dir: Path | None) -> Path:
    """Make the data directory absolute, with `~` meaning the home folder, as people write it."""
    return (data_dir or default_data_dir()).expanduser().absolute()


def _read_dotenv() -> dict[str, str]:
    if not _DOTENV.is_file():
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415  most directories have no .env, and the import has its price

    return _lower(dotenv_values(_DOTENV))


def _lower(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name.lower(): value or "" for name, value in values.items()}
