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
