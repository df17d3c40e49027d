"""A fleet in one process groups people in another, of low priority."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from facefleet.gallery.edge_server import serve_gallery
from facefleet.gallery.opening import gallery_socket
from facefleet.gallery.qdrant_edge import EdgeGallery
from facefleet.people_records import ClusteringState
from tests.fixtures.packs import CHECKOUT
from tests.fixtures.processes import clean_environment, wait_until
from tests.integration.workers.conftest import Bench
from workers.embedded import embedded_fleet
from workers.grouper_process import COMMAND

MOST_ATTEMPTS = 3


@pytest.fixture
def served(bench: Bench) -> Iterator[None]:
    assert isinstance(bench.parts.gallery, EdgeGallery)
    with closing(serve_gallery(bench.parts.gallery, gallery_socket(bench.parts.settings))):
        yield


def groupers() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if "grouper_process" in " ".join(each.cmdline())]


@pytest.mark.usefixtures("served")
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


@pytest.mark.usefixtures("served")
def test_it_ends_while_it_is_at_work(bench: Bench) -> None:
    bench.write(**{f"photo{number}": b"3 %d" % number for number in range(30)})
    with embedded_fleet(bench.parts, groups_apart=True):
        bench.list_into("party")
        wait_until(lambda: bool(groupers()), "a process is started")
    assert not groupers()


def test_it_ends_without_a_word_when_who_asked_was_killed_meanwhile(tmp_path: Path) -> None:
    pipe, environment = subprocess.PIPE, clean_environment(data_dir=str(tmp_path))
    with subprocess.Popen(COMMAND, env=environment, cwd=CHECKOUT, stdin=pipe, stdout=pipe, stderr=pipe) as child:
        assert child.stdout
        child.stdout.close()
        _, said = child.communicate(f"{uuid4()}\n".encode(), timeout=60)
    assert (child.returncode, said) == (0, b"")
