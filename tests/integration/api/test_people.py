"""People over a socket: found when photos were sent, named, corrected, and put right again."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.dependencies import Services
from facefleet.people.grouping import AlbumGrouper, grouper_in_thread
from facefleet.people.model_rules import ModelRules
from tests.fixtures.processes import wait_until
from tests.integration.api.conftest import indexing, serving

#: The same in every process of a test run: it is part of tests' names.
NOBODY = UUID(int=1)
ALBUM = "/v1/albums/people"
PHOTOS = {
    "a.jpg": b"people 1 2",
    "b.jpg": b"people 1 2",
    "c.jpg": b"people 2 1",
    "d.jpg": b"people 1 17",
    "e.jpg": b"people 2",
}


@pytest.fixture
def http(services: Services) -> Iterator[httpx.Client]:
    """A server with an album of five photos, and who groups faces."""
    grouper = AlbumGrouper(services.ledger, services.gallery, ModelRules(services.settings, None).of, 60)
    with serving(services) as client, indexing(services), grouper_in_thread(grouper, 3):
        client.post("/v1/albums", json={"name": "people"}).raise_for_status()
        send(client, PHOTOS)
        yield client


def send(client: httpx.Client, photos: dict[str, bytes]) -> None:
    files = [("files", (name, content)) for name, content in photos.items()]
    indexed = client.get(ALBUM).json()["indexed"] + len(photos)
    client.post(f"{ALBUM}/photos", files=files).raise_for_status()
    wait_until(lambda: client.get(ALBUM).json()["indexed"] == indexed, "all photos are indexed")
    wait_until(lambda: client.get(f"{ALBUM}/people/cluster").json()["state"] == "done", "their faces are grouped")


def ask(client: httpx.Client, method: str, path: str, status: int = 200, **request: Any) -> Any:  # noqa: ANN401  JSON
    response = client.request(method, path, **request)
    assert response.status_code == status, response.text
    return response.json() if response.content else None


def photos_of(http: httpx.Client, person_id: str, query: str = "") -> list[str]:
    return [each["photo"] for each in ask(http, "GET", f"/v1/people/{person_id}/photos{query}")["photos"]]


def test_people_are_listed_named_and_recognised_on_new_photos(http: httpx.Client) -> None:
    listed = ask(http, "GET", f"{ALBUM}/people?links=true")
    assert [each["faces"] for each in listed["people"]] == [4, 4]
    assert listed["clustering"]["noise_faces"] == 1
    assert httpx.URL(listed["people"][0]["cover"]["crop"]).path.startswith("/v1/faces/")
    anna = next(each["person_id"] for each in listed["people"] if "d.jpg" in photos_of(http, each["person_id"]))
    ben = next(each["person_id"] for each in listed["people"] if each["person_id"] != anna)
    assert ask(http, "PATCH", f"/v1/people/{anna}", json={"name": " Anna "})["name"] == "Anna"
    send(http, {"f.jpg": b"people 1"})
    assert photos_of(http, anna) == ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "f.jpg"]
    assert photos_of(http, anna, f"?with={ben}&album=people") == ["a.jpg", "b.jpg", "c.jpg"]
    (companion,) = ask(http, "GET", f"/v1/people/{anna}/companions")["people"]
    assert (companion["person_id"], companion["photos"]) == (ben, 3)
    found = ask(http, "GET", "/v1/people?name=Anna")["people"]
    assert [each["person_id"] for each in found] == [anna]
    first = ask(http, "GET", f"/v1/people/{anna}/photos?links=true")["photos"][0]
    assert first["thumbnail"]
    on_photo = ask(http, "GET", f"/v1/photos/{first['photo_id']}/people")["faces"]
    assert sorted((each["name"] or "", each["person_id"]) for each in on_photo) == [("", ben), ("Anna", anna)]


def test_every_change_can_be_undone(http: httpx.Client) -> None:
    one, other = [each["person_id"] for each in ask(http, "GET", f"{ALBUM}/people")["people"]]
    mine = [each["face_id"] for each in ask(http, "GET", f"/v1/people/{one}/faces")["faces"]]
    before = ask(http, "GET", f"{ALBUM}/people/faces")
    ask(http, "POST", f"/v1/people/{one}/merge", json={"people": [other]})
    assert ask(http, "GET", f"/v1/people/{other}", 404)["type"] == "person_not_found"
    new = ask(http, "POST", f"/v1/people/{one}/split", 201, json={"face_ids": mine[:1], "name": "Cleo"})
    ask(http, "POST", f"/v1/people/{one}/faces", json={"face_ids": mine[:1]})
    ask(http, "POST", f"/v1/people/{one}/not", 204, json={"face_ids": mine[1:2]})
    ask(http, "PATCH", f"/v1/people/{one}", json={"hidden": True, "cover_face_id": mine[2]})
    ask(http, "DELETE", f"/v1/people/{one}", 204)
    ask(http, "POST", f"{ALBUM}/people/cluster", 202)
    wait_until(lambda: ask(http, "GET", f"{ALBUM}/people/cluster")["state"] == "done", "all are grouped anew")
    history = ask(http, "GET", f"/v1/people/{one}/history")["changes"]
    assert {each["kind"] for each in history} == {"merge", "split", "move", "not", "hide", "cover", "delete"}
    assert ask(http, "POST", f"/v1/people/{one}/undo", 409, json={"change_id": history[-2]["change_id"]})["type"] == (
        "people_conflict"
    ), "its face was moved since"
    for _ in history:
        ask(http, "POST", f"/v1/people/{one}/undo", json={})
    assert ask(http, "POST", f"/v1/people/{one}/undo", 409, json={})["type"] == "people_conflict"
    assert ask(http, "GET", f"{ALBUM}/people/faces") == before
    ask(http, "GET", f"/v1/people/{new['person_id']}", 404)
    undone = ask(http, "GET", "/v1/people/history")["changes"]
    assert all(each["undone_at"] for each in undone)


def test_a_person_is_made_of_any_faces_of_the_album(http: httpx.Client) -> None:
    strangers = [
        each["face_id"]
        for each in ask(http, "GET", f"{ALBUM}/faces")["faces"]
        if each["photo"] == "d.jpg" and each["box"][0] > 0
    ]
    made = ask(http, "POST", f"{ALBUM}/people", 201, json={"face_ids": strangers, "name": "Dora"})
    assert (made["name"], made["faces"], made["cover"]["confirmed"]) == ("Dora", 1, True)
    ask(http, "POST", "/v1/albums", 201, json={"name": "other"})
    ask(http, "POST", "/v1/albums/other/people", 404, json={"face_ids": strangers})


def test_pages(http: httpx.Client) -> None:
    seen, after = [], ""
    while True:
        page = ask(http, "GET", f"{ALBUM}/people?limit=1{after}")
        seen += [each["person_id"] for each in page["people"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == len(set(seen)) == 2
    assert ask(http, "GET", f"{ALBUM}/people?after={uuid4()}", 422)["type"] == "invalid_request"


def test_a_purged_person_is_gone_for_good(http: httpx.Client, services: Services) -> None:
    anna, ben = [each["person_id"] for each in ask(http, "GET", f"{ALBUM}/people")["people"]]
    ask(http, "PATCH", f"/v1/people/{anna}", json={"name": "Anna"})
    shown = ask(http, "GET", f"/v1/people/{anna}/faces?links=true")["faces"]
    assert http.get(shown[0]["crop"]).status_code == 200
    probe = next(photo for photo in PHOTOS if photo == shown[0]["photo"])
    assert ask(http, "POST", f"/v1/people/{anna}/purge") == {"faces": 4, "photos": 4}
    assert http.get(shown[0]["crop"]).status_code == 404
    for method, path, status, body in (
        ("GET", "", 404, None),
        ("POST", "/purge", 404, None),
        ("POST", "/undo", 404, {}),
        ("GET", "/history", 404, None),
        ("GET", "/photos", 404, None),
    ):
        problem = ask(http, method, f"/v1/people/{anna}{path}", status, json=body)
        assert (problem["type"], "was purged" in problem["detail"]) == ("person_not_found", True)
    assert "Anna" not in http.get("/v1/people/history").text
    found = ask(http, "POST", f"{ALBUM}/search", content=PHOTOS[probe], headers={"Content-Type": "image/jpeg"})
    gone = {each["face_id"] for each in shown}
    assert not gone & {each["face_id"] for face in found["faces"] for each in face["candidates"]}
    album_id = UUID(ask(http, "GET", ALBUM)["id"])
    points = {point.face_id for point in services.gallery.points(services.model_version, album_id)}
    assert (len(points), points & {UUID(each) for each in gone}) == (5, set())
    photos = [each.id for each in services.ledger.photos.list(album_id, None, 100, None)]
    assert services.ledger.repairs.reindex(photos) == 5
    wait_until(lambda: ask(http, "GET", ALBUM)["indexed"] == 5, "all photos are indexed again")
    wait_until(lambda: ask(http, "GET", f"{ALBUM}/people/cluster")["state"] == "done", "their faces are grouped")
    assert [each["person_id"] for each in ask(http, "GET", f"{ALBUM}/people")["people"]] == [ben]
    assert ask(http, "GET", ALBUM)["faces"] == 5
    said = services.ledger.audit.page(10, object_ids=[anna])
    assert [each.action for each in said] == ["person_purged", "person_deleted"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("GET", f"/v1/people/{NOBODY}", None, 404, "person_not_found"),
        ("PATCH", f"/v1/people/{NOBODY}", {"name": "x"}, 404, "person_not_found"),
        ("PATCH", f"/v1/people/{NOBODY}", {"name": "\n"}, 422, "invalid_request"),
        ("POST", f"/v1/people/{NOBODY}/merge", {"people": []}, 422, "invalid_request"),
        ("POST", f"/v1/people/{NOBODY}/undo", {}, 404, "person_not_found"),
        ("POST", f"/v1/people/{NOBODY}/purge", None, 404, "person_not_found"),
        ("POST", "/v1/albums/nothing/predictions", None, 404, "album_not_found"),
        ("POST", f"{ALBUM}/people", {"face_ids": [str(NOBODY)]}, 404, "face_not_found"),
        ("GET", f"/v1/photos/{NOBODY}/people", None, 404, "photo_not_found"),
        ("GET", "/v1/albums/nothing/people", None, 404, "album_not_found"),
        ("POST", "/cluster", {"job_id": "1", "event_id": "nothing"}, 404, "album_not_found"),
    ],
)
def test_what_is_not_there(client: httpx.Client, method: str, path: str, body: object, status: int, kind: str) -> None:
    assert ask(client, method, path, status, json=body)["type"] == kind


def test_the_front_door_of_other_services(http: httpx.Client) -> None:
    answer = ask(http, "POST", "/cluster", json={"job_id": "7", "event_id": "people"})
    clusters = answer.pop("clusters")
    assert answer.pop("processing_time_seconds") > 0
    assert answer == {
        "job_id": "7",
        "event_id": "people",
        "total_faces": 9,
        "clusters_created": 2,
        "noise_faces": 1,
        "status": "completed",
    }
    assert [(each["cluster_label"], each["face_count"], each["avg_quality"]) for each in clusters] == [
        (0, 4, 0.9),
        (1, 4, 0.9),
    ]
    assert all(each["representative_face_id"] for each in clusters)


def test_a_server_without_a_fleet_groups_nothing(services: Services) -> None:
    with serving(replace(services, has_fleet=False)) as client:
        client.post("/v1/albums", json={"name": "people"}).raise_for_status()
        assert ask(client, "POST", f"{ALBUM}/people/cluster", 409)["type"] == "no_fleet"
        assert ask(client, "POST", "/cluster", 409, json={"job_id": "1", "event_id": "people"})["type"] == "no_fleet"


def test_a_grouping_that_takes_long_is_answered_with_how_far_it_is(services: Services) -> None:
    settings = services.settings.model_copy(update={"cluster_wait_s": 0})
    with serving(replace(services, settings=settings)) as client:
        client.post("/v1/albums", json={"name": "people"}).raise_for_status()
        answer = ask(client, "POST", "/cluster", json={"job_id": "1", "event_id": "people"})
        assert (answer["status"], answer["clusters"]) == ("running", [])
