"""Somebody's photos as time went by."""

from datetime import datetime

import pytest

from facefleet.ledger.people import Scope
from tests.integration.people.bench import PeopleBench

pytestmark = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact"),
]

TAKEN = {"late": "2025-01-01T00:00:00", "early": "2019-07-03T18:04:59", "later": "2025-01-01T00:00:00"}
IN_TIME = ["early", "late", "later", "a scan", "somewhen"]


def test_photos_are_in_the_order_in_which_they_were_taken_page_by_page(bench: PeopleBench) -> None:
    bench.taken |= {name: datetime.fromisoformat(moment) for name, moment in TAKEN.items()}
    bench.index(dict.fromkeys(("somewhen", "late", "a scan", "early", "later"), ("anna",)))
    bench.group()
    scope, (anna,) = Scope(bench.tenant, bench.album.id), bench.people()
    found = bench.ledger.appearances.photos(scope, [anna.id], 10, None)
    assert [each.name for each in found] == IN_TIME
    assert {each.name: each.taken_at for each in found if each.taken_at} == bench.taken
    for limit in (1, 2):
        seen, after = [], None
        while page := bench.ledger.appearances.photos(scope, [anna.id], limit, after):
            seen += [each.name for each in page]
            after = page[-1].photo_id
        assert seen == IN_TIME
