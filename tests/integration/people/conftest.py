"""People where everything is embedded, and on the servers of a fleet: every test runs on both."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from qdrant_client import QdrantClient

from facefleet.gallery.protocol import Gallery
from facefleet.gallery.qdrant_edge import EdgeGallery
from facefleet.gallery.qdrant_server import QdrantServerGallery
from facefleet.ledger.engine import open_ledger
from tests.integration.people.bench import PeopleBench


@pytest.fixture
def gallery(ledger_url: str, tmp_path: Path) -> Iterator[Gallery]:
    """The embedded engine beside SQLite; Qdrant's client, on its own memory, beside PostgreSQL."""
    on_servers = ledger_url.startswith("postgresql")
    opened = QdrantServerGallery(QdrantClient(":memory:")) if on_servers else EdgeGallery(tmp_path / "gallery")
    with closing(opened):
        yield opened


@pytest.fixture
def bench(ledger_url: str, gallery: Gallery) -> Iterator[PeopleBench]:
    with closing(open_ledger(ledger_url)) as ledger:
        yield PeopleBench(ledger, gallery, ledger.albums.create("party"))
