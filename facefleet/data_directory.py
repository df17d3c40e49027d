"""Where a person's Facefleet keeps its files when nobody says otherwise. Imports nothing slow: every command asks."""

import os
from pathlib import Path


def default_data_dir() -> Path:
    """Return the folder that the XDG base directory specification gives to an application's data."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "facefleet"
