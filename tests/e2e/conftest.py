"""Clients that show a key, closed at the end of the test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest


@pytest.fixture
def connect() -> Iterator[Callable[[str, str], httpx.Client]]:
    """Open a client of the API at a URL, with a key."""
    with ExitStack() as stack:
        yield lambda url, key: stack.enter_context(httpx.Client(base_url=url, headers={"X-Api-Key": key}))
