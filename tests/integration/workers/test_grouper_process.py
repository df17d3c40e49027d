"""A fleet in one process groups people in another, of low priority."""

from collections.abc import Iterator
from contextlib import closing

import psutil
import pytest

from facefleet.gallery.edge_server import serve_gallery
from facefleet.gallery.opening import gallery_socket
from facefleet.gallery.qdrant_edge import EdgeGallery
from facefleet.people_records import ClusteringState
from tests.fixtures.processes import wait_until
from tests.integration.workers.conftest import Bench
from workers.embedded import embedded_fleet

MOST_ATTEMPTS = 3


@pytest.fixture(autouse=True)
def served(bench: Bench) -> Iterator[None]:
    assert isinstance(bench.parts.gallery, EdgeGallery)
    with closing(serve_gallery(bench.parts.gallery, gallery_socket(bench.parts.settings))):
        yield


def groupers() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if "grouper_process" in " ".join(each.cmdline())]


def test_people_are_grouped_by_a_process_that_gives_way_and_is_started_again(bench: Bench) -> None:
    clusterings = bench.parts.ledger.clusterings
    bench.write(one=b"2", two=b"2 b")
    with embedded_fleet(bench.parts, groups_apart=True):
        album_id, _ = bench.list_into("party")

        def is_done(photos: int) -> bool:
            shown = clusterings.show(album_id, MOST_ATTEMPTS)
            return shown.state is ClusteringState.DONE and shown.total_faces == photos

        wait_until(lambda: is_done(4), "the faces of two photos are grouped")
        [grouper] = groupers()
        assert grouper.nice() > psutil.Process().nice()
        grouper.kill()
        bench.write(three=b"1 c")
        bench.list_into("party")
        wait_until(lambda: is_done(5), "the faces of the third have joined")
        [other] = groupers()
        assert other.pid != grouper.pid
    assert not groupers()


def test_it_ends_while_it_is_at_work(bench: Bench) -> None:
    bench.write(**{f"photo{number}": b"3 %d" % number for number in range(30)})
    with embedded_fleet(bench.parts, groups_apart=True):
        bench.list_into("party")
        wait_until(lambda: bool(groupers()), "a process is started")
    assert not groupers()
