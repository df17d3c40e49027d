"""Images, users, tags, tokens and callbacks, on each database."""

from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from facefleet.errors import AlbumNotFound
from facefleet.face_records import Box
from facefleet.ledger.collection_schema import (
    album_tag,
    callback,
    client_token,
    collection_user,
    dropped_face,
    external_image,
    user_face,
)
from facefleet.ledger.engine import Ledger
from facefleet.ledger.erasure_schema import unkept_place
from facefleet.ledger.images import FaceLabel, IndexedImage
from facefleet.ledger.listing import source_id_of
from facefleet.records import FinishedPhoto, FoundFace, PhotoState, face_id_of
from tests.integration.ledger.scene import Scene, recognized, ref_of


def store(scene: Scene, name: str, kept: set[int], faces: int = 3, external_id: str | None = None) -> IndexedImage:
    image = IndexedImage(scene.album.id, ref_of(name), "m1", recognized(faces), frozenset(kept), external_id)
    scene.ledger.images.store(image)
    return image


def walked(scene: Scene) -> list[UUID]:
    return [face.id for face in scene.ledger.found_faces.walk(scene.album.id, 100, None, None)]


def test_an_image_is_a_photo_with_the_faces_that_were_kept(scene: Scene) -> None:
    image = store(scene, "a.jpg", {0, 2}, external_id="x:1")
    first, second = (face_id_of(image.photo_id, number) for number in (0, 2))
    assert walked(scene) == sorted([first, second])
    photo = scene.find(image.photo_id)
    assert (photo.state, photo.face_count, photo.width_px) == (PhotoState.INDEXED, 2, 400)
    assert scene.ledger.images.dropped([image.photo_id]) == {face_id_of(image.photo_id, 1)}
    assert scene.ledger.images.labels([first, uuid4()]) == {first: FaceLabel("x:1", None)}
    found = scene.ledger.found_faces.get_many([first])[first]
    assert found == FoundFace(first, image.photo_id, "a.jpg", Box(0, 2, 30, 40), 0.9, 400, 300, "x:1", None)
    store(scene, "a.jpg", {1}, external_id="x:1")
    assert len(walked(scene)) == 3
    assert scene.ledger.faces.count(scene.album.id) == 3


def test_a_deleted_face_stays_away_when_its_photo_is_indexed_again(scene: Scene) -> None:
    (photo_id,) = scene.add("a.jpg")
    scene.index([photo_id], face_count=3)
    one, two, three = (face_id_of(photo_id, number) for number in range(3))
    assert scene.ledger.images.delete_faces(scene.album.id, [one, uuid4()]) == ({one}, [])
    assert scene.ledger.images.delete_faces(uuid4(), [two]) == (set(), [])
    assert scene.ledger.faces.count(scene.album.id) == 2
    scene.ledger.repairs.reindex([photo_id])
    (leased,) = scene.claim([photo_id])
    scene.ledger.leases.finish([FinishedPhoto(leased, recognized(3))])
    assert walked(scene) == sorted([two, three])
    assert scene.find(photo_id).face_count == 2
    assert scene.ledger.repairs.face_ids(scene.album.id, "m1") == {photo_id: {two, three}}


def test_who_claims_a_photo_learns_whether_faces_of_it_are_not_to_be_kept(scene: Scene) -> None:
    photo_ids = scene.add("a.jpg", "b.jpg", "c.jpg")
    scene.index(photo_ids, face_count=2)
    dropped, unkept = face_id_of(photo_ids[0], 1), face_id_of(photo_ids[1], 0)
    scene.ledger.images.delete_faces(scene.album.id, [dropped])
    source_id = source_id_of(scene.album.id, scene.find(photo_ids[1]).store_uri)
    place = {"x": 0, "y": 2 / 300, "w": 30 / 400, "h": 40 / 300}
    with scene.ledger.database.writing() as connection:
        row = {"id": uuid4(), "album_id": scene.album.id, "source_id": source_id} | place
        connection.execute(unkept_place.insert().values(row))
    scene.ledger.repairs.reindex(photo_ids)
    leased = scene.claim(photo_ids)
    assert [each.has_unkept for each in leased] == [True, True, False]
    assert scene.ledger.unkept.faces([FinishedPhoto(each, recognized(2)) for each in leased]) == {dropped, unkept}


def test_a_face_that_is_deleted_while_its_photo_is_looked_at_loses_the_point_that_was_just_written(
    scene: Scene,
) -> None:
    (photo_id,) = scene.add("a.jpg")
    scene.index([photo_id], face_count=2)
    one, two = (face_id_of(photo_id, number) for number in range(2))
    scene.ledger.repairs.reindex([photo_id])
    (leased,) = scene.claim([photo_id])
    scene.ledger.images.delete_faces(scene.album.id, [one])
    assert scene.ledger.erasures.doomed(10) == []
    scene.ledger.leases.finish([FinishedPhoto(leased, recognized(2))])
    assert [(each.face_id, each.album_id) for each in scene.ledger.erasures.doomed(10)] == [(one, scene.album.id)]
    assert walked(scene) == [two]


def test_an_image_goes_with_its_last_face_and_a_photo_does_not(scene: Scene) -> None:
    image = store(scene, "a.jpg", {0})
    (photo_id,) = scene.add("b.jpg")
    scene.index([photo_id])
    gone = [face_id_of(image.photo_id, 0), face_id_of(photo_id, 0)]
    assert scene.ledger.images.delete_faces(scene.album.id, gone) == (set(gone), [image.ref.uri])
    assert scene.find(image.photo_id).state == PhotoState.DELETED
    assert scene.find(photo_id).state == PhotoState.INDEXED
    store(scene, "a.jpg", {0})
    assert walked(scene) == [face_id_of(image.photo_id, 0)]


def test_users_own_faces(scene: Scene) -> None:
    users, album_id = scene.ledger.users, scene.album.id
    image = store(scene, "a.jpg", {0, 1, 2})
    one, two, three = (face_id_of(image.photo_id, number) for number in range(3))
    assert (users.create(album_id, "anna"), users.create(album_id, "anna")) == (True, False)
    users.create(album_id, "Berta")
    assert users.associate(album_id, "anna", {one, two}, most=2) == {one, two}
    assert users.associate(album_id, "anna", {three}, most=2) is None
    assert users.associate(album_id, "nobody", {three}, most=2) is None
    assert users.associate(album_id, "Berta", {two, three}, most=2) == {three}
    assert users.faces_of(album_id, ["anna", "Berta"]) == {"anna": sorted([one, two]), "Berta": [three]}
    assert users.page(album_id, 1, None) == [("Berta", True)]
    assert users.page(album_id, 5, "Berta") == [("anna", True)]
    assert scene.ledger.images.labels([one])[one].user_id == "anna"
    found = scene.ledger.found_faces.get_many([one, uuid4()])
    assert {face_id: (face.user_id, face.external_image_id) for face_id, face in found.items()} == {one: ("anna", None)}
    assert scene.ledger.images.delete_faces(album_id, [one]) == (set(), [])
    assert users.disassociate(album_id, "anna", [one, three]) == {one}
    assert users.delete(album_id, "Berta")
    assert not users.delete(album_id, "Berta")
    assert users.count(album_id) == 1
    assert users.exists(album_id, "anna")
    assert users.faces_of(album_id, ["anna", "Berta"]) == {"anna": [two]}


def test_tags_and_tokens(scene: Scene) -> None:
    tags, tokens, album_id = scene.ledger.tags, scene.ledger.client_tokens, scene.album.id
    assert tags.put(album_id, {"b": "1", "a": "2"}, most=2)
    assert tags.put(album_id, {"b": "3"}, most=2)
    assert not tags.put(album_id, {"c": "4"}, most=2)
    assert tags.of(album_id) == {"a": "2", "b": "3"}
    tags.remove(album_id, ["a", "z"])
    assert tags.of(album_id) == {"b": "3"}
    request = uuid4()
    assert tokens.find(album_id, "t") is None
    tokens.keep(album_id, "t", request, {"a": [1]})
    tokens.keep(album_id, "t", uuid4(), {})
    assert tokens.find(album_id, "t") == (request, {"a": [1]})
    assert tokens.find(uuid4(), "t") is None


def test_callbacks_are_claimed_once_and_leave_nothing(ledger: Ledger) -> None:
    callbacks = ledger.callbacks
    first = callbacks.add("default", "https://a.example/", "templates")
    (claimed,) = callbacks.claim(10, 60)
    assert (claimed.id, claimed.attempt) == (first, 1)
    assert callbacks.claim(10, 60) == []
    callbacks.postpone(first, -1, "away")
    assert callbacks.claim(10, 60)[0].attempt == 2
    callbacks.bury(first, "given up")
    callbacks.postpone(first, -1, "never again")
    assert callbacks.claim(10, 60) == []
    (dead,) = callbacks.list_dead("default", 10)
    assert (dead.url, dead.attempt) == ("https://a.example/", 2)
    second = callbacks.add("default", "https://b.example/", "templates")
    callbacks.settle(second)
    with ledger.database.reading() as connection:
        assert [row.body for row in connection.execute(callback.select())] == [""]


def test_a_deleted_album_leaves_no_row(scene: Scene) -> None:
    album_id = scene.album.id
    image = store(scene, "a.jpg", {0}, external_id="x")
    scene.ledger.users.create(album_id, "anna")
    scene.ledger.users.associate(album_id, "anna", {face_id_of(image.photo_id, 0)}, most=9)
    scene.ledger.tags.put(album_id, {"a": "b"}, most=9)
    scene.ledger.client_tokens.keep(album_id, "t", uuid4(), {})
    scene.ledger.albums.begin_delete(album_id)
    with pytest.raises(AlbumNotFound):
        store(scene, "b.jpg", {0})
    scene.ledger.albums.erase(album_id)
    tables = (external_image, dropped_face, collection_user, user_face, album_tag, client_token)
    with scene.ledger.database.reading() as connection:
        counts = [connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in tables]
    assert counts == [0] * len(tables)
