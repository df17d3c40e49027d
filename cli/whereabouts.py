"""The settings that a command needs before anything else, read without the weight of the whole class.

Loading `facefleet.settings` takes longer than a search on a running server; a test holds both to the same answers.
"""

from pathlib import Path
from typing import NamedTuple

from facefleet.data_directory import default_data_dir
from facefleet.environment import read_environment
from facefleet.errors import ConfigurationError

_MAX_PROBE_BYTES = 15_000_000


class Whereabouts(NamedTuple):
    """Where a command looks for a server, and what it may send there."""

    #: URL of the server, or nothing.
    server: str
    #: Absolute.
    data_dir: Path
    #: Largest image to search with.
    max_probe_bytes: int = _MAX_PROBE_BYTES
    #: What is shown to the server, or nothing.
    api_key: str = ""


def find_whereabouts() -> Whereabouts:
    """Read these settings from the environment, then from `.env`.

    Raises:
        ConfigurationError: a number is none, or the key is none.
    """
    values = read_environment()
    named = values.get("data_dir")
    most_bytes = values.get("max_probe_bytes", str(_MAX_PROBE_BYTES))
    if not most_bytes.isdecimal():
        raise ConfigurationError(f"FACEFLEET_MAX_PROBE_BYTES: a whole number, not {most_bytes!r}")
    data_dir = resolve_data_dir(Path(named) if named else None)
    key = values.get("api_key", "")
    if not key.isascii() or (key and not key.isprintable()):  # it goes into a header
        raise ConfigurationError("FACEFLEET_API_KEY is no API key: `facefleet keys create` makes one")
    return Whereabouts(values.get("server", ""), data_dir, int(most_bytes), key)


def resolve_data_dir(data_dir: Path | None) -> Path:
    """Make the data directory absolute, with `~` meaning the home folder, as people write it."""
    return (data_dir or default_data_dir()).expanduser().absolute()
