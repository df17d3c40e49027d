"""What the user sees of photos and faces."""

from uuid import UUID, uuid4

import numpy as np
import pytest

from facefleet.errors import InvalidRequest
from facefleet.face_records import Box, Quality
from facefleet.records import PhotoState, face_id_of
from tests.integration.ledger.scene import Scene, ref_of


def test_photos_come_in_pages_by_name(scene: Scene) -> None:
    names = ["B.jpg", "a.jpg", "Ä.jpg", "b/c.jpg", "b c.jpg", "z.jpg", "😀.jpg"]
    scene.add(*names)
    pages, after = [], None
    while page := scene.ledger.photos.list(scene.album.id, None, 3, after):
        pages.append([each.name for each in page])
        after = str(page[-1].id)
    assert [name for page in pages for name in page] == sorted(names)
    assert [len(page) for page in pages] == [3, 3, 1]


def test_photos_of_the_same_name_are_all_listed(scene: Scene) -> None:
    other = scene.ledger.jobs.create(scene.album.id, "file:///other")
    refs = [ref_of("a.jpg"), ref_of("a.jpg").__class__("file:///other/a.jpg", "a.jpg", "v1", 5)]
    scene.ledger.jobs.add_photos(other.id, "m1", refs)
    (first,) = scene.ledger.photos.list(scene.album.id, None, 1, None)
    (second,) = scene.ledger.photos.list(scene.album.id, None, 1, str(first.id))
    assert {first.store_uri, second.store_uri} == {ref.uri for ref in refs}


def test_photos_are_listed_by_state_and_never_when_deleted(scene: Scene) -> None:
    first, second, third = scene.add("a.jpg", "b.jpg", "c.jpg")
    scene.index([first])
    scene.bury([second])
    scene.index(scene.add("a.jpg", version="v2"))

    def names(state: PhotoState | None) -> list[str]:
        return [each.name for each in scene.ledger.photos.list(scene.album.id, state, 10, None)]

    assert names(None) == ["a.jpg", "b.jpg", "c.jpg"]
    assert [names(state) for state in PhotoState] == [["c.jpg"], [], ["a.jpg"], ["b.jpg"], []]
    assert scene.ledger.photos.existing([first, second, third, uuid4()]) == {second, third}
    assert scene.find(first).state == PhotoState.DELETED


@pytest.mark.parametrize("after", ["x", "", str(UUID(int=5))])
def test_a_page_after_nothing_known_is_refused(scene: Scene, after: str) -> None:
    for page in (
        lambda: scene.ledger.photos.list(scene.album.id, None, 10, after),
        lambda: scene.ledger.faces.list(scene.album.id, 10, after),
    ):
        with pytest.raises(InvalidRequest):
            page()


def test_very_long_names_are_kept(scene: Scene) -> None:
    name = "日" * 1300 + ".jpg"
    (photo_id,) = scene.add(name)
    assert scene.find(photo_id).name == name
    assert len(scene.ledger.photos.list(scene.album.id, None, 10, None)) == 1


def test_thousands_are_found_at_once(scene: Scene) -> None:
    photo_ids = scene.add(*(f"{number}.jpg" for number in range(2100)))
    assert scene.ledger.photos.existing(photo_ids) == set(photo_ids)
    assert set(scene.ledger.photos.get_many(photo_ids)) == set(photo_ids)


def test_dead_photos_get_a_second_chance(scene: Scene) -> None:
    dead, indexed = scene.add("a.jpg", "b.jpg")
    scene.bury([dead])
    scene.index([indexed])
    assert scene.ledger.photos.retry_dead(scene.album.id) == 1
    found = scene.find(dead)
    assert (found.state, found.attempt, found.reason, found.detail) == (PhotoState.PENDING, 0, None, None)
    assert scene.index([dead]) == {dead}
    assert scene.ledger.photos.retry_dead(scene.album.id) == 0


def test_a_face_is_kept_as_it_was_found(scene: Scene) -> None:
    (photo_id,) = scene.add("a.jpg")
    scene.index([photo_id], face_count=2)
    face = scene.ledger.faces.list(scene.album.id, 10, None)[1]
    assert (face.id, face.photo_id, face.photo_name) == (face_id_of(photo_id, 1), photo_id, "a.jpg")
    assert (face.box, face.detection_score) == (Box(10.5, 2, 30, 40), 0.9)
    assert face.quality == Quality(0.1, 30, 120.5, 99, -3, 2, 1)
    assert face.landmarks.dtype == np.float32
    assert np.array_equal(face.landmarks, np.arange(10, dtype=np.float32).reshape(5, 2) + 1)
    assert (face.photo_width_px, face.photo_height_px) == (400, 300)
    assert scene.ledger.faces.get_many([face.id, uuid4()])[face.id].box == face.box


def test_faces_come_in_pages_by_photo_and_number(scene: Scene) -> None:
    photo_ids = scene.add("b.jpg", "a.jpg", "c.jpg")
    scene.index(photo_ids, face_count=4)
    seen, after = [], None
    while page := scene.ledger.faces.list(scene.album.id, 5, after):
        seen += [(each.photo_name, each.id) for each in page]
        after = str(page[-1].id)
    by_name = dict(zip(["b.jpg", "a.jpg", "c.jpg"], photo_ids, strict=True))
    assert seen == [(name, face_id_of(by_name[name], number)) for name in sorted(by_name) for number in range(4)]
    assert scene.ledger.faces.count(scene.album.id) == 12
