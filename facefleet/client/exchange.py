"""One request and its answer. Not data classes: loading those takes 20 ms, a good part of a search from the shell."""

from typing import NamedTuple


class HttpRequest(NamedTuple):
    """What is asked."""

    method: str
    #: Path and query, quoted.
    target: str
    headers: dict[str, str]
    body: bytes = b""


class HttpAnswer(NamedTuple):
    """What came back."""

    status: int
    body: bytes
    #: What the header Retry-After says, in seconds; None: nothing.
    retry_after_s: float | None = None


def read_seconds(retry_after: str) -> float | None:
    """Read a Retry-After; one that names a date, as Facefleet never does, says nothing."""
    return float(retry_after) if retry_after.isdecimal() else None
