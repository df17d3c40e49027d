"""Waiting until the faces of an album's new photos were looked at."""

import time
from typing import Any

from cli.client import ApiClient
from cli.output import say

_ASK_AGAIN_S = 0.2
_SAY_EVERY_S = 10.0
_UNFINISHED = {"waiting", "running"}


def wait_for_people(client: ApiClient, album: str) -> Any:  # noqa: ANN401  JSON
    """Return how the grouping of an album is once it is up to date, or given up; says now and then what for."""
    said_at = time.monotonic()
    while (shown := client.get("albums", album, "people", "cluster"))["state"] in _UNFINISHED:
        if time.monotonic() - said_at >= _SAY_EVERY_S:
            said_at = time.monotonic()
            trouble = f": {shown['detail']}" if shown["detail"] else ""
            say(f"{album}: faces of {shown['new_photos']} new photos are being grouped{trouble}")
        time.sleep(_ASK_AGAIN_S)
    if shown["state"] == "failed":
        say(f"facefleet: these people are not up to date: {shown['detail']}")
    return shown
