"""An index over the embedded gallery: built while nobody serves it, and searched afterwards."""

from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid5

import numpy as np
import pytest
import qdrant_edge as edge

from facefleet.errors import DataDirectoryInUse
from facefleet.gallery import edge_index
from facefleet.gallery.edge_index import index_gallery
from facefleet.gallery.points import ALBUM_KEY
from facefleet.gallery.qdrant_edge import EdgeGallery
from facefleet.records import GalleryPoint

VERSION, DIMENSIONS = "a1b2c3d4", 32
ALBUM, OTHER_ALBUM = UUID(int=1), UUID(int=2)


def make_points(album_id: UUID, count: int, seed: int) -> list[GalleryPoint]:
    templates = np.random.default_rng(seed).standard_normal((count, DIMENSIONS)).astype(np.float32)
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    return [
        GalleryPoint(uuid5(album_id, f"{seed} {number}"), album_id, uuid5(album_id, "photo"), template)
        for number, template in enumerate(templates)
    ]


@pytest.fixture
def _index_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_index, "_INDEXED_FROM_KB", 1)
    graph = edge.HnswIndexConfig(m=0, payload_m=16, ef_construct=64, full_scan_threshold=10)
    monkeypatch.setattr(edge_index, "_GRAPH", graph)


def search(gallery: EdgeGallery, album_id: UUID, point: GalleryPoint) -> list[UUID]:
    found = gallery.search(VERSION, album_id, point.template, limit=5, min_similarity=-1)
    return [match.face_id for match in found]


@pytest.mark.usefixtures("_index_small_ones")
def test_an_indexed_gallery_finds_old_and_new_faces_of_one_album_only(tmp_path: Path) -> None:
    points, others, late = make_points(ALBUM, 1500, 1), make_points(OTHER_ALBUM, 1500, 2), make_points(ALBUM, 5, 3)
    with closing(EdgeGallery(tmp_path)) as gallery:
        gallery.prepare(VERSION, DIMENSIONS)
        gallery.upsert(VERSION, points + others)
        exact = [search(gallery, ALBUM, point) for point in points[:50]]
    assert index_gallery(tmp_path) == {VERSION: 3000}
    with closing(EdgeGallery(tmp_path)) as gallery:
        assert gallery._shards[VERSION].indexed
        found = [search(gallery, ALBUM, point) for point in points[:50]]
        assert np.mean([len(set(one) & set(other)) / 5 for one, other in zip(found, exact, strict=True)]) > 0.95
        gallery.upsert(VERSION, late)
        assert search(gallery, ALBUM, late[0])[0] == late[0].face_id
        gallery.delete_faces(ALBUM, [points[0].face_id])
        assert points[0].face_id not in search(gallery, ALBUM, points[0])
        mine = {point.face_id for point in points + late}
        assert set(search(gallery, ALBUM, others[0])) <= mine
        assert gallery.count(VERSION, ALBUM) == 1504


def test_albums_that_an_older_gallery_compares_as_text_become_numbers(tmp_path: Path) -> None:
    points = make_points(ALBUM, 20, 1)
    with closing(EdgeGallery(tmp_path)) as gallery:
        gallery.prepare(VERSION, DIMENSIONS)
        gallery.upsert(VERSION, points)
        engine = gallery._shards[VERSION].engine
        engine.update(edge.UpdateOperation.create_field_index(ALBUM_KEY, edge.PayloadSchemaType.Keyword))
        assert engine.info().payload_schema[ALBUM_KEY].data_type == edge.PayloadSchemaType.Keyword
    index_gallery(tmp_path)
    with closing(EdgeGallery(tmp_path)) as gallery:
        schema = gallery._shards[VERSION].engine.info().payload_schema
        assert schema[ALBUM_KEY].data_type == edge.PayloadSchemaType.Uuid
        assert gallery.count(VERSION, ALBUM) == 20
        assert search(gallery, ALBUM, points[3])[0] == points[3].face_id


def test_a_gallery_that_is_open_is_left_alone(tmp_path: Path) -> None:
    with closing(EdgeGallery(tmp_path)), pytest.raises(DataDirectoryInUse):
        index_gallery(tmp_path)


def test_a_small_gallery_stays_exact(tmp_path: Path) -> None:
    with closing(EdgeGallery(tmp_path)) as gallery:
        gallery.prepare(VERSION, DIMENSIONS)
        gallery.upsert(VERSION, make_points(ALBUM, 20, 1))
    assert index_gallery(tmp_path) == {VERSION: 0}
    with closing(EdgeGallery(tmp_path)) as gallery:
        assert not gallery._shards[VERSION].indexed
