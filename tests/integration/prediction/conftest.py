"""An album with named people on both databases."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from facefleet.ledger.engine import open_ledger
from tests.integration.people.bench import PeopleBench
from tests.integration.people.memory_gallery import MemoryGallery
from tests.integration.prediction.naming import Naming


@pytest.fixture
def bench(ledger_url: str) -> Iterator[PeopleBench]:
    with closing(open_ledger(ledger_url)) as ledger:
        yield PeopleBench(ledger, MemoryGallery(), ledger.albums.create("party"))


@pytest.fixture
def naming(bench: PeopleBench) -> Naming:
    return Naming(bench)
