"""What carries requests."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from facefleet.client.exchange import HttpAnswer, HttpRequest


class Transport(Protocol):
    """Carries requests to one server. Safe to use from several threads. Every method raises `OSError` when it fails."""

    def send(self, request: HttpRequest) -> HttpAnswer:
        """Send a request and read its answer to the end."""

    def stream(self, request: HttpRequest) -> AbstractContextManager[tuple[int, Iterator[bytes]]]:
        """Send a request; give the status, and the lines of the answer without their ends as they come."""

    def check(self) -> None:
        """Return when something listens."""

    def close(self) -> None:
        """Let go of connections."""
