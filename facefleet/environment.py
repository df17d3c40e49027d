"""What `FACEFLEET_*` environment variables and a file `.env` say. Loads next to nothing: every command begins here."""

import os
from collections.abc import Mapping
from pathlib import Path

from facefleet.errors import ConfigurationError

#: In the directory that a process is started in.
DOTENV = Path(".env")
_PREFIX = "facefleet_"


def read_environment(dotenv: Path | None = DOTENV) -> dict[str, str]:
    """Read what is set, by the names that `Settings` has for it; the environment wins over the file.

    What is set to nothing is as if it were not set: so `.env.example` says it, and Compose what it was not told.

    Args:
        dotenv: may be missing; None: the environment alone.

    Raises:
        ConfigurationError: there is such a file, and it cannot be read.
    """
    return _named((_read_dotenv(dotenv) if dotenv else {}) | _lower(os.environ))


def _read_dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415  most directories have no .env, and the import has its price

    try:
        return _lower(dotenv_values(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the file {path} with settings cannot be read: {error}") from error


def _lower(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name.lower(): value or "" for name, value in values.items()}


def _named(values: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(_PREFIX): value for name, value in values.items() if name.startswith(_PREFIX) and value}
