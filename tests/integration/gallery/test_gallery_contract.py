"""What every gallery promises, shown on each of them."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID, uuid4

import numpy as np
import pytest
from qdrant_client import QdrantClient

from facefleet.errors import ConfigurationError, GalleryUnavailable
from facefleet.face_records import Template
from facefleet.gallery.edge_client import EdgeClientGallery
from facefleet.gallery.edge_server import serve_gallery
from facefleet.gallery.protocol import Gallery
from facefleet.gallery.qdrant_edge import EdgeGallery
from facefleet.gallery.qdrant_server import QdrantServerGallery, connect_qdrant
from facefleet.records import GalleryPoint

DIMENSIONS = 64
VERSION = "a1b2c3d4"
NEWER_VERSION = "b2c3d4e5"
REAL_QDRANT_URL = os.environ.get("FACEFLEET_TEST_QDRANT_URL", "")


class Place(Protocol):
    """A gallery that can be opened again after it was closed."""

    def open(self) -> Gallery: ...
    def close(self) -> None: ...


class EdgePlace:
    def __init__(self, tmp_path: Path) -> None:
        self.directory = tmp_path / "gallery"

    def open(self) -> Gallery:
        return EdgeGallery(self.directory)

    def close(self) -> None:
        """The gallery itself let go of everything."""


class ServedPlace:
    """The owner and its socket stay here; what is opened are clients, and every opening restarts the owner."""

    def __init__(self, tmp_path: Path) -> None:
        self.directory = tmp_path / "gallery"
        self.socket_path = tmp_path / "gallery.sock"
        self.stop: Callable[[], None] = lambda: None

    def open(self) -> Gallery:
        self.close()
        owner = EdgeGallery(self.directory)
        server = serve_gallery(owner, self.socket_path)

        def stop() -> None:
            server.close()
            owner.close()

        self.stop = stop
        return EdgeClientGallery(self.socket_path)

    def close(self) -> None:
        self.stop()


class MemoryQdrantPlace:
    """What is closed is lost, but it is fast."""

    def __init__(self, _: Path) -> None:
        """Nothing is kept."""

    def open(self) -> Gallery:
        return QdrantServerGallery(QdrantClient(":memory:"))

    def close(self) -> None:
        """The gallery itself let go of everything."""


class FolderQdrantPlace:
    def __init__(self, tmp_path: Path) -> None:
        self.directory = tmp_path / "qdrant"

    def open(self) -> Gallery:
        return QdrantServerGallery(QdrantClient(path=str(self.directory)))

    def close(self) -> None:
        """The gallery itself let go of everything."""


class RealQdrantPlace:
    def __init__(self, _: Path) -> None:
        self.close()

    def open(self) -> Gallery:
        return QdrantServerGallery(connect_qdrant(REAL_QDRANT_URL, ""))

    def close(self) -> None:
        client = QdrantClient(url=REAL_QDRANT_URL)
        for version in (VERSION, NEWER_VERSION):
            client.delete_collection(f"faces_{version}")
        client.close()


PLACES: Final[dict[str, Callable[[Path], Place]]] = {
    "edge": EdgePlace,
    "edge client": ServedPlace,
    "qdrant memory": MemoryQdrantPlace,
    "qdrant folder": FolderQdrantPlace,
    "qdrant server": RealQdrantPlace,
}
REAL = ["qdrant server"] if REAL_QDRANT_URL else []

pytestmark = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant:UserWarning"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
]


@pytest.fixture(params=["edge", "edge client", "qdrant memory", *REAL])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    place = PLACES[request.param](tmp_path)
    yield place
    place.close()


@pytest.fixture
def gallery(place: Place) -> Iterator[Gallery]:
    gallery = place.open()
    gallery.prepare(VERSION, DIMENSIONS)
    yield gallery
    gallery.close()


def random_templates(number: int, seed: int = 0) -> list[Template]:
    rows = np.random.default_rng(seed).normal(size=(number, DIMENSIONS))
    return list((rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32))


def template_at(similarity: float) -> Template:
    """A template of this similarity to the first axis."""
    template = np.zeros(DIMENSIONS, np.float32)
    template[:2] = similarity, np.sqrt(1 - similarity**2)
    return template


def make_points(album_id: UUID, templates: list[Template], photo_id: UUID | None = None) -> list[GalleryPoint]:
    return [GalleryPoint(uuid4(), album_id, photo_id or uuid4(), template) for template in templates]


def test_finds_the_nearest_best_first(gallery: Gallery) -> None:
    album_id = uuid4()
    points = make_points(album_id, [template_at(similarity) for similarity in (0.5, 0.9, -0.2, 0.7, 1.0)])
    gallery.upsert(VERSION, points)

    found = gallery.search(VERSION, album_id, template_at(1.0), limit=3, min_similarity=-1)

    assert [match.face_id for match in found] == [points[index].face_id for index in (4, 1, 3)]
    assert [match.photo_id for match in found] == [points[index].photo_id for index in (4, 1, 3)]
    assert [match.similarity for match in found] == pytest.approx([1.0, 0.9, 0.7], abs=1e-6)


def test_agrees_with_plain_arithmetic(gallery: Gallery) -> None:
    album_id, templates = uuid4(), random_templates(700)
    points = make_points(album_id, templates)
    gallery.upsert(VERSION, points)
    probe = random_templates(1, seed=1)[0]

    found = gallery.search(VERSION, album_id, probe, limit=50, min_similarity=0.1)

    similarities = np.stack(templates) @ probe
    best = [index for index in np.argsort(-similarities) if similarities[index] >= 0.1][:50]
    assert [match.face_id for match in found] == [points[index].face_id for index in best]
    assert [match.similarity for match in found] == pytest.approx(list(similarities[best]), abs=1e-5)


def test_the_smallest_similarity_is_inclusive(gallery: Gallery) -> None:
    album_id = uuid4()
    # 0.5 and its partner are such that the product is exactly 0.5 in float32.
    template = np.zeros(DIMENSIONS, np.float32)
    template[:4] = 0.5
    axis = np.zeros(DIMENSIONS, np.float32)
    axis[0] = 1
    gallery.upsert(VERSION, make_points(album_id, [template]))

    def found(min_similarity: float) -> int:
        return len(gallery.search(VERSION, album_id, axis, limit=5, min_similarity=min_similarity))

    assert (found(0.499999), found(0.5), found(0.500001)) == (1, 1, 0)


def test_an_album_never_sees_another(gallery: Gallery) -> None:
    small, large = uuid4(), uuid4()
    probe = template_at(1.0)
    gallery.upsert(VERSION, make_points(large, [probe] * 300))
    mine = make_points(small, [template_at(0.3), template_at(0.4)])
    gallery.upsert(VERSION, mine)

    found = gallery.search(VERSION, small, probe, limit=100, min_similarity=-1)

    assert {match.face_id for match in found} == {point.face_id for point in mine}
    assert {point.face_id for point in gallery.points(VERSION, small)} == {point.face_id for point in mine}
    assert gallery.search(VERSION, uuid4(), probe, limit=100, min_similarity=-1) == []


def test_the_same_face_is_replaced(gallery: Gallery) -> None:
    album_id = uuid4()
    (point,) = make_points(album_id, [template_at(0.0)])
    gallery.upsert(VERSION, [point])
    gallery.upsert(VERSION, [GalleryPoint(point.face_id, album_id, point.photo_id, template_at(1.0))])

    (match,) = gallery.search(VERSION, album_id, template_at(1.0), limit=5, min_similarity=-1)

    assert match.similarity == pytest.approx(1.0)
    assert gallery.count(VERSION) == 1


def test_deletes_the_faces_of_photos_in_every_version(gallery: Gallery) -> None:
    gallery.prepare(NEWER_VERSION, DIMENSIONS)
    album_id, other_album_id, photo_id = uuid4(), uuid4(), uuid4()
    kept = make_points(album_id, random_templates(2))
    gallery.upsert(VERSION, [*kept, *make_points(album_id, random_templates(3), photo_id)])
    gallery.upsert(NEWER_VERSION, make_points(album_id, random_templates(3), photo_id))
    # The same photo id in another album is another album's photo.
    gallery.upsert(VERSION, make_points(other_album_id, random_templates(1), photo_id))

    gallery.delete_photos(album_id, [photo_id, uuid4()])
    gallery.delete_photos(album_id, [photo_id])
    gallery.delete_photos(album_id, [])

    assert {point.face_id for point in gallery.points(VERSION, album_id)} == {point.face_id for point in kept}
    assert gallery.count(NEWER_VERSION, album_id) == 0
    assert gallery.count(VERSION, other_album_id) == 1


def test_reads_the_templates_of_faces_of_one_album(gallery: Gallery) -> None:
    album_id, other_album_id, templates = uuid4(), uuid4(), random_templates(1100)
    points = make_points(album_id, templates)
    strangers = make_points(other_album_id, random_templates(1))
    gallery.upsert(VERSION, [*points, *strangers])

    found = gallery.templates(VERSION, album_id, [*(point.face_id for point in points), strangers[0].face_id, uuid4()])

    assert found.keys() == {point.face_id for point in points}
    assert np.stack([found[point.face_id] for point in points]) == pytest.approx(np.stack(templates), abs=1e-6)
    assert gallery.templates(VERSION, album_id, []) == {}


def test_deletes_faces_in_every_version_and_leaves_their_neighbours(gallery: Gallery) -> None:
    gallery.prepare(NEWER_VERSION, DIMENSIONS)
    album_id, photo_id = uuid4(), uuid4()
    points = make_points(album_id, random_templates(4), photo_id)
    strangers = make_points(uuid4(), random_templates(1))
    gallery.upsert(VERSION, [*points, *strangers])
    gallery.upsert(NEWER_VERSION, points[:1])
    gone = [points[0].face_id, points[2].face_id]

    for _ in range(2):
        gallery.delete_faces(album_id, [*gone, strangers[0].face_id, uuid4()])
    gallery.delete_faces(album_id, [])

    assert {point.face_id for point in gallery.points(VERSION, album_id)} == {points[1].face_id, points[3].face_id}
    assert gallery.count(NEWER_VERSION) == 0
    assert gallery.count(VERSION) == 3


def test_deletes_the_photos_of_a_large_album(gallery: Gallery) -> None:
    album_id = uuid4()
    points = make_points(album_id, random_templates(1200))
    gallery.upsert(VERSION, points)

    gallery.delete_photos(album_id, [point.photo_id for point in points[:1100]])

    assert {point.face_id for point in gallery.points(VERSION, album_id)} == {p.face_id for p in points[1100:]}


def test_deletes_an_album_in_every_version(gallery: Gallery) -> None:
    gallery.prepare(NEWER_VERSION, DIMENSIONS)
    album_id, other_album_id = uuid4(), uuid4()
    for version in (VERSION, NEWER_VERSION):
        gallery.upsert(version, make_points(album_id, random_templates(4)))
        gallery.upsert(version, make_points(other_album_id, random_templates(2)))

    gallery.delete_album(album_id)
    gallery.delete_album(album_id)

    assert [gallery.count(version, album_id) for version in (VERSION, NEWER_VERSION)] == [0, 0]
    assert [gallery.count(version) for version in (VERSION, NEWER_VERSION)] == [2, 2]


def test_walks_thousands_of_points_with_their_templates(gallery: Gallery) -> None:
    album_id = uuid4()
    points = make_points(album_id, random_templates(5000))
    gallery.upsert(VERSION, points)
    gallery.upsert(VERSION, make_points(uuid4(), random_templates(10)))

    walked = {point.face_id: point for point in gallery.points(VERSION, album_id)}

    assert gallery.count(VERSION, album_id) == len(walked) == 5000
    for point in points:
        other = walked[point.face_id]
        assert (other.album_id, other.photo_id) == (album_id, point.photo_id)
        assert other.template.dtype == np.float32
        np.testing.assert_allclose(other.template, point.template, atol=1e-6)


def test_versions_are_apart_and_may_differ_in_dimensions(gallery: Gallery) -> None:
    gallery.prepare(NEWER_VERSION, 8)
    album_id, short = uuid4(), np.eye(8, dtype=np.float32)[0]
    gallery.upsert(VERSION, make_points(album_id, [template_at(1.0)]))
    gallery.upsert(NEWER_VERSION, make_points(album_id, [short]))

    assert len(gallery.search(NEWER_VERSION, album_id, short, limit=5, min_similarity=-1)) == 1
    assert len(gallery.search(VERSION, album_id, template_at(1.0), limit=5, min_similarity=-1)) == 1


def test_preparing_again_changes_nothing(gallery: Gallery) -> None:
    gallery.upsert(VERSION, make_points(uuid4(), random_templates(1)))

    gallery.prepare(VERSION, DIMENSIONS)

    assert gallery.count(VERSION) == 1
    with pytest.raises(ConfigurationError, match=str(DIMENSIONS * 2)):
        gallery.prepare(VERSION, DIMENSIONS * 2)


def test_a_version_that_was_never_prepared_is_no_empty_one(gallery: Gallery) -> None:
    with pytest.raises(GalleryUnavailable, match=NEWER_VERSION):
        gallery.upsert(NEWER_VERSION, make_points(uuid4(), random_templates(1)))
    with pytest.raises(GalleryUnavailable, match=NEWER_VERSION):
        gallery.search(NEWER_VERSION, uuid4(), template_at(1.0), limit=1, min_similarity=0)
    with pytest.raises(GalleryUnavailable, match=NEWER_VERSION):
        gallery.count(NEWER_VERSION)
    with pytest.raises(GalleryUnavailable, match=NEWER_VERSION):
        list(gallery.points(NEWER_VERSION, uuid4()))


def test_nothing_to_write_is_no_error(gallery: Gallery) -> None:
    gallery.upsert(VERSION, [])

    assert gallery.count(VERSION) == 0
    assert gallery.count(VERSION, uuid4()) == 0
    assert list(gallery.points(VERSION, uuid4())) == []


@pytest.mark.parametrize("place", ["edge", "edge client", "qdrant folder", *REAL], indirect=True)
def test_opening_again_finds_everything(place: Place) -> None:
    album_id = uuid4()
    gallery = place.open()
    gallery.prepare(VERSION, DIMENSIONS)
    gallery.prepare(NEWER_VERSION, 8)
    points = make_points(album_id, random_templates(60))
    gallery.upsert(VERSION, points)
    gallery.delete_photos(album_id, [points[0].photo_id])
    gallery.close()

    gallery = place.open()
    found = {point.face_id for point in gallery.points(VERSION, album_id)}
    newer = gallery.count(NEWER_VERSION)
    gallery.close()

    assert found == {point.face_id for point in points[1:]}
    assert newer == 0


def test_a_closed_gallery_is_unavailable(place: Place) -> None:
    gallery = place.open()
    gallery.prepare(VERSION, DIMENSIONS)
    gallery.check()
    gallery.close()
    gallery.close()

    with pytest.raises(GalleryUnavailable):
        gallery.check()
    with pytest.raises(GalleryUnavailable):
        gallery.upsert(VERSION, make_points(uuid4(), random_templates(1)))
    with pytest.raises(GalleryUnavailable):
        gallery.search(VERSION, uuid4(), template_at(1.0), limit=1, min_similarity=0)
    with pytest.raises(GalleryUnavailable):
        gallery.delete_album(uuid4())
    with pytest.raises(GalleryUnavailable):
        gallery.prepare(NEWER_VERSION, DIMENSIONS)
