"""A ledger on each database, and a scene in it."""

from collections.abc import Iterator

import pytest

from facefleet.ledger.engine import Ledger, open_ledger
from tests.integration.ledger.scene import Scene


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = open_ledger(ledger_url)
    yield opened
    opened.close()


@pytest.fixture
def scene(ledger: Ledger) -> Scene:
    album = ledger.albums.create("holiday")
    return Scene(ledger, album, ledger.jobs.create(album.id, "file:///photos"))
