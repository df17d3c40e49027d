"""People and predictions with the client, against a real server."""

from collections.abc import Iterator

import pytest

from api.dependencies import Services
from facefleet.client import Client
from facefleet.errors import PeopleConflict, PersonNotFound
from facefleet.people.grouping import AlbumGrouper, grouper_in_thread
from facefleet.people.model_rules import ModelRules
from tests.fixtures.processes import wait_until
from tests.integration.api import conftest as api_conftest

open_drawn_services = api_conftest.open_drawn_services
services = api_conftest.services
PHOTOS = [("a.jpg", b"people 1 2"), ("b.jpg", b"people 1 2"), ("c.jpg", b"people 2 1"), ("d.jpg", b"people 1 17")]


@pytest.fixture
def client(services: Services) -> Iterator[Client]:
    """Of a server with an album whose faces were grouped."""
    grouper = AlbumGrouper(services.ledger, services.gallery, ModelRules(services.settings, None).of, 60)
    with (
        api_conftest.serving(services) as http,
        api_conftest.indexing(services),
        grouper_in_thread(grouper, 3),
        Client(str(http.base_url)) as opened,
    ):
        opened.create_album("party")
        *_, ended = opened.follow_job(opened.send_photos("party", PHOTOS))
        assert ended.indexed == len(PHOTOS)
        wait_until(lambda: opened.clustering("party").state == "done", "faces are grouped")
        yield opened


def test_people_are_read_and_changed(client: Client) -> None:
    anna, ben = client.people("party")
    assert (anna.faces, ben.faces, anna.cover is not None) == (4, 3, True)
    assert client.name_person(anna.person_id, "Anna").name == "Anna"
    assert [each.person_id for each in client.people(name="Anna")] == [anna.person_id]
    faces = list(client.faces_of_person(anna.person_id, "party"))
    assert [each.photo for each in client.photos_of_person(anna.person_id)] == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    together = client.photos_of_person(anna.person_id, "party", [ben.person_id])
    assert [each.photo for each in together] == ["a.jpg", "b.jpg", "c.jpg"]
    [companion] = client.companions(anna.person_id)
    assert (companion.person_id, companion.photos) == (ben.person_id, 3)
    assert {each.name for each in client.people_of_photo(faces[0].photo_id)} <= {"Anna", None}
    one = [faces[0].face_id]
    shown = client.set_cover(anna.person_id, one[0]).cover
    assert shown == faces[0]
    cleo = client.split_person(anna.person_id, one, "Cleo")
    assert (cleo.name, cleo.faces) == ("Cleo", 1)
    assert client.move_faces(ben.person_id, one).faces == 4
    client.reject_faces(ben.person_id, one)
    assert client.create_person("party", one, "Dora").faces == 1
    assert client.merge_people(anna.person_id, [ben.person_id]).faces == 6
    assert client.hide_person(anna.person_id).hidden
    assert client.undo_change(anna.person_id).kind == "hide"
    assert {"name", "cover", "split", "merge", "hide"} <= {each.kind for each in client.changes(anna.person_id)}
    assert len(list(client.changes())) >= 8
    client.delete_person(anna.person_id)
    with pytest.raises(PersonNotFound):
        client.person(anna.person_id)
    for _ in client.changes(anna.person_id):
        try:
            client.undo_change(anna.person_id)
        except PeopleConflict:
            break
    assert client.group_people("party").state in {"waiting", "running", "done"}


def test_a_person_is_purged(client: Client) -> None:
    anna, ben = client.people("party")
    client.name_person(anna.person_id, "Anna")
    assert client.purge_person(anna.person_id) == (4, 4)
    with pytest.raises(PersonNotFound, match="was purged"):
        client.undo_change(anna.person_id)
    assert [each.person_id for each in client.people("party")] == [ben.person_id]
    assert client.album("party").faces == 4


def test_predictions_are_asked_for(client: Client) -> None:
    assert client.predict("party") == 0
    anna, _ = client.people("party")
    client.name_person(anna.person_id, "Anna")
    [photo, *_] = client.photos("party")
    assert (client.predictions(photo.photo_id).state, client.predictions(photo.photo_id).photo) == ("none", photo.photo)
    assert client.predict("party") == client.predict("party", again=True) == len(PHOTOS)
    said = client.predictions(photo.photo_id)
    assert said.state in {"waiting", "done"}
    assert len(said.faces) == 2
