"""What was deleted from the embedded gallery is in none of its files, as segments keep it or as the log does."""

import struct
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest

from facefleet.face_records import Template
from facefleet.gallery import edge_index, qdrant_edge
from facefleet.gallery.qdrant_edge import EdgeGallery
from facefleet.records import GalleryPoint

VERSION = "feedfeedfeedfeed"
DIMENSIONS = 64


def points_of(album_id: UUID, count: int, seed: int) -> list[GalleryPoint]:
    drawn = np.random.default_rng(seed).standard_normal((count, DIMENSIONS)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return [GalleryPoint(uuid4(), album_id, uuid4(), template) for template in drawn]


def spellings(template: Template) -> tuple[bytes, bytes]:
    """A part of a template as segments keep it, and as the log does (CBOR)."""
    part = template[10:16]
    return part.astype("<f4").tobytes(), b"".join(b"\xfa" + struct.pack(">f", each) for each in part)


def files_with(directory: Path, templates: list[Template]) -> set[str]:
    """Which files hold any of these templates: `log` or `segment`."""
    found = set()
    for path in directory.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if any(each in content for template in templates for each in spellings(template)):
                found.add("log" if path.parent.name == "wal" else "segment")
    return found


@pytest.mark.parametrize("way", ["album", "faces"])
def test_deleted_templates_are_in_no_file(tmp_path: Path, way: str) -> None:
    gone, kept = points_of(uuid4(), 1200, 1), points_of(uuid4(), 30, 2)
    with closing(EdgeGallery(tmp_path)) as gallery:
        gallery.prepare(VERSION, DIMENSIONS)
        gallery.upsert(VERSION, [*gone, *kept])
        album_id = gone[0].album_id
        stored = list(gallery.templates(VERSION, album_id, [each.face_id for each in gone[:3]]).values())
        assert files_with(tmp_path, stored) == {"log", "segment"}
        if way == "album":
            gallery.delete_album(album_id)
        else:
            gallery.delete_faces(album_id, [each.face_id for each in gone])
        assert gallery.count(VERSION) == len(kept)
        assert files_with(tmp_path, stored) <= {"log"}
    with closing(EdgeGallery(tmp_path)) as gallery:
        assert files_with(tmp_path, stored) == set()
        assert gallery.count(VERSION) == len(kept)
        # Its log goes on counting: later changes are taken, and outlive another start.
        again = [GalleryPoint(each.face_id, each.album_id, each.photo_id, stored[0]) for each in kept[:2]]
        gallery.upsert(VERSION, again)
        gallery.delete_photos(kept[5].album_id, [kept[5].photo_id])
    with closing(EdgeGallery(tmp_path)) as gallery:
        found = gallery.search(VERSION, kept[0].album_id, stored[0], limit=9, min_similarity=0.99)
        assert {each.face_id for each in found} == {each.face_id for each in kept[:2]}
        assert gallery.count(VERSION) == len(kept) - 1


def test_a_log_is_erased_only_when_something_was_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    erased = []
    monkeypatch.setattr(qdrant_edge, "erase_log", erased.append)
    points = points_of(uuid4(), 3, 1)
    with closing(EdgeGallery(tmp_path)) as gallery:
        gallery.prepare(VERSION, DIMENSIONS)
        gallery.upsert(VERSION, points)
    EdgeGallery(tmp_path).close()
    assert erased == []
    with closing(EdgeGallery(tmp_path)) as gallery:
        gallery.delete_album(points[0].album_id)
    for _ in range(2):
        EdgeGallery(tmp_path).close()
    assert len(erased) == 1


def test_an_index_is_written_anew_without_what_was_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_index, "_INDEXED_FROM_KB", 10)
    gone, kept = points_of(uuid4(), 3, 1), points_of(uuid4(), 600, 2)
    with closing(EdgeGallery(tmp_path)) as gallery:
        gallery.prepare(VERSION, DIMENSIONS)
        gallery.upsert(VERSION, [*gone, *kept])
        stored = list(gallery.templates(VERSION, gone[0].album_id, [each.face_id for each in gone]).values())
    assert edge_index.index_gallery(tmp_path) == {VERSION: 603}
    with closing(EdgeGallery(tmp_path)) as gallery:
        gallery.delete_album(gone[0].album_id)
    edge_index.index_gallery(tmp_path)
    with closing(EdgeGallery(tmp_path)) as gallery:
        assert files_with(tmp_path, stored) == set()
        assert gallery.count(VERSION) == len(kept)
        assert len(gallery.search(VERSION, kept[0].album_id, kept[0].template, limit=9, min_similarity=0.99)) == 1
