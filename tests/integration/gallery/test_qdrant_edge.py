"""The embedded engine: who owns it, what it survives, and what many threads do to it."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID, uuid4

import numpy as np
import pytest

from facefleet.errors import ConfigurationError, DataDirectoryInUse, GalleryUnavailable
from facefleet.face_records import Template
from facefleet.gallery.qdrant_edge import EdgeGallery
from facefleet.records import GalleryPoint

VERSION = "a1b2c3d4"
DIMENSIONS = 32
ALBUM_ID = UUID(int=1)

#: Upserts point after point, and says so on stdout as soon as each one is acknowledged.
WRITER = f"""
import sys
from pathlib import Path
from uuid import UUID
import numpy as np
from facefleet.gallery.qdrant_edge import EdgeGallery
from facefleet.records import GalleryPoint
gallery = EdgeGallery(Path(sys.argv[1]))
gallery.prepare("{VERSION}", {DIMENSIONS})
template = np.eye({DIMENSIONS}, dtype=np.float32)[0]
number = 0
while True:
    number += 1
    gallery.upsert("{VERSION}", [GalleryPoint(UUID(int=number), UUID(int=1), UUID(int=number), template)])
    print(number, flush=True)
"""


def random_template(rng: np.random.Generator) -> Template:
    row = rng.normal(size=DIMENSIONS)
    return (row / np.linalg.norm(row)).astype(np.float32)


def make_point(rng: np.random.Generator, face_id: UUID | None = None, album_id: UUID = ALBUM_ID) -> GalleryPoint:
    return GalleryPoint(face_id or uuid4(), album_id, uuid4(), random_template(rng))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_acknowledged_points_outlive_a_killed_process(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        while int(writer.stdout.readline()) < 300:
            pass
        writer.kill()
        acknowledged = 300 + len(writer.stdout.readlines())

    gallery = EdgeGallery(tmp_path)
    found = {point.face_id for point in gallery.points(VERSION, ALBUM_ID)}
    matches = gallery.search(VERSION, ALBUM_ID, np.eye(DIMENSIONS, dtype=np.float32)[0], limit=1, min_similarity=0.9)
    gallery.close()

    assert found >= {UUID(int=number) for number in range(1, acknowledged + 1)}
    assert len(matches) == 1


def test_a_second_owner_is_told_who_the_first_one_is(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline()
        with pytest.raises(DataDirectoryInUse, match=rf"in use by process {writer.pid} "):
            EdgeGallery(tmp_path)
        writer.kill()

    EdgeGallery(tmp_path).close()  # the lock died with the process


def test_the_directory_is_free_after_close(tmp_path: Path) -> None:
    gallery = EdgeGallery(tmp_path)
    with pytest.raises(DataDirectoryInUse):
        EdgeGallery(tmp_path)
    gallery.close()

    EdgeGallery(tmp_path).close()


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigurationError, match="cannot be kept in"):
        EdgeGallery(tmp_path / "file" / "gallery")


def test_a_version_whose_creation_was_cut_off_is_created_again(tmp_path: Path, rng: np.random.Generator) -> None:
    (tmp_path / ".creating-0" / "segments").mkdir(parents=True)

    gallery = EdgeGallery(tmp_path)
    gallery.prepare(VERSION, DIMENSIONS)
    gallery.upsert(VERSION, [make_point(rng)])
    gallery.close()

    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", VERSION]


def test_a_damaged_version_says_where_it_is(tmp_path: Path) -> None:
    gallery = EdgeGallery(tmp_path)
    gallery.prepare(VERSION, DIMENSIONS)
    gallery.close()
    (tmp_path / VERSION / "edge_config.json").write_text("{}")

    with pytest.raises(ConfigurationError, match=rf"{VERSION} cannot be opened .* moved away and indexed again"):
        EdgeGallery(tmp_path)
    with pytest.raises(ConfigurationError):  # and the failed opening gave the lock back
        EdgeGallery(tmp_path)


@pytest.mark.parametrize("version", ["", "../up", "a/b", ".lock", "a b"])
def test_a_version_is_a_plain_name(tmp_path: Path, version: str) -> None:
    gallery = EdgeGallery(tmp_path)

    with pytest.raises(ConfigurationError, match="not a model version"):
        gallery.prepare(version, DIMENSIONS)
    gallery.close()


def test_templates_of_the_wrong_length_are_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    gallery = EdgeGallery(tmp_path)
    gallery.prepare(VERSION, DIMENSIONS * 2)

    with pytest.raises(ConfigurationError, match="64 dimensions in the gallery, not 32"):
        gallery.upsert(VERSION, [make_point(rng)])
    with pytest.raises(ConfigurationError, match="64 dimensions in the gallery, not 32"):
        gallery.search(VERSION, ALBUM_ID, random_template(rng), limit=1, min_similarity=0)
    gallery.close()


def test_many_threads_write_search_and_delete(tmp_path: Path) -> None:
    """Each writer owns an album; at the end every album holds exactly what its writer left in it."""
    gallery = EdgeGallery(tmp_path)
    writing = threading.Event()
    writing.set()

    def write(writer: int) -> None:
        rng, album_id = np.random.default_rng(writer), UUID(int=100 + writer)
        gallery.prepare(VERSION, DIMENSIONS)
        for number in range(30):
            points = [make_point(rng, UUID(int=writer << 32 | number << 8 | row), album_id) for row in range(10)]
            gallery.upsert(VERSION, points)
            gallery.upsert(VERSION, points)
            gallery.delete_photos(album_id, [point.photo_id for point in points[:4]])
            assert gallery.count(VERSION, album_id) == (number + 1) * 6

    def search(seed: int) -> None:
        rng = np.random.default_rng(seed)
        gallery.prepare(VERSION, DIMENSIONS)
        while writing.is_set():
            album_id = UUID(int=100 + int(rng.integers(6)))
            found = gallery.search(VERSION, album_id, random_template(rng), limit=50, min_similarity=-1)
            assert found == sorted(found, key=lambda match: -match.similarity)
            assert len({match.face_id for match in found}) == len(found)

    with ThreadPoolExecutor(9) as threads:
        searches = [threads.submit(search, seed) for seed in range(3)]
        writes = [threads.submit(write, writer) for writer in range(6)]
        wait(writes)
        writing.clear()
    for future in [*searches, *writes]:
        future.result()

    assert [gallery.count(VERSION, UUID(int=100 + writer)) for writer in range(6)] == [180] * 6
    gallery.close()
    reopened = EdgeGallery(tmp_path)
    assert reopened.count(VERSION) == 1080
    reopened.close()


def test_closing_under_way_loses_nothing_that_was_acknowledged(tmp_path: Path, rng: np.random.Generator) -> None:
    gallery = EdgeGallery(tmp_path)
    gallery.prepare(VERSION, DIMENSIONS)
    acknowledged: list[UUID] = []
    busy, refused = threading.Event(), threading.Event()

    def write() -> None:
        try:
            while True:
                point = make_point(rng)
                gallery.upsert(VERSION, [point])
                acknowledged.append(point.face_id)
                busy.set()
        except GalleryUnavailable:
            refused.set()

    thread = threading.Thread(target=write)
    thread.start()
    assert busy.wait(30)
    gallery.close()
    thread.join()

    assert refused.is_set()
    reopened = EdgeGallery(tmp_path)
    assert {point.face_id for point in reopened.points(VERSION, ALBUM_ID)} >= set(acknowledged)
    reopened.close()


def test_nothing_is_written_while_the_disk_is_nearly_full(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(EdgeGallery(tmp_path, reserve_bytes=1000)) as crowded:
        crowded.prepare(VERSION, DIMENSIONS)
        monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=999))
        for write in (
            lambda: crowded.upsert(VERSION, [make_point(rng)]),
            lambda: crowded.delete_album(ALBUM_ID),
            crowded.check,
        ):
            with pytest.raises(GalleryUnavailable, match="in reserve"):
                write()
        assert crowded.count(VERSION, ALBUM_ID) == 0
    with pytest.raises(GalleryUnavailable, match="in reserve"):
        EdgeGallery(tmp_path, reserve_bytes=1000)
