"""`facefleet people`: what it asks a server for, and what it prints."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.cli.conftest import Ended, FakeApi

ANNA, BEN, FACE = (f"{number:08d}-0000-4000-8000-000000000000" for number in (1, 2, 9))
DONE = {"state": "done", "detail": None, "new_photos": 0, "clusters": 2, "noise_faces": 1, "total_faces": 4}


def person(person_id: str, name: str | None, **more: object) -> dict[str, Any]:
    return {"person_id": person_id, "name": name, "faces": 2, "photos": 2, "hidden": False} | more


def face(person_id: str, photo: str) -> dict[str, Any]:
    shown = {"album": "party", "photo": photo, "photo_id": BEN, "face_id": FACE, "box": [1.0, 2.0, 3.0, 4.0]}
    return shown | {"person_id": person_id, "confirmed": True, "quality": 0.5}


@pytest.fixture(autouse=True)
def crowd(api: FakeApi) -> None:
    api.answer("GET", "/v1/albums/party/people/cluster", DONE)
    everybody = [person(ANNA, "Anna"), person(BEN, None)]
    api.answer("GET", "/v1/albums/party/people", {"people": everybody, "next": None})
    api.answer("GET", "/v1/people", {"people": everybody, "next": None})


def test_people_of_an_album_as_json(api: FakeApi, facefleet: Callable[..., Ended]) -> None:
    first, second = face(ANNA, "a.jpg"), face(BEN, "b.jpg")
    api.answer("GET", "/v1/albums/party/people/faces", {"faces": [first], "next": FACE})
    api.answer("GET", "/v1/albums/party/people/faces", {"faces": [second], "next": None})
    shown = {"face_id": FACE, "box": [1.0, 2.0, 3.0, 4.0]}
    assert facefleet("people", "--album", "party", "--json").document == [
        {"person_id": ANNA, "name": "Anna", "faces": [{"photo": "a.jpg", **shown}]},
        {"person_id": BEN, "name": None, "faces": [{"photo": "b.jpg", **shown}]},
    ]


def test_people_are_shown_when_new_photos_were_looked_at(api: FakeApi, facefleet: Callable[..., Ended]) -> None:
    path = "/v1/albums/party/people/cluster"
    api.answers["GET", path][:0] = [(200, DONE | {"state": state}) for state in ("waiting", "running")]
    ended = facefleet("people", "-a", "party")
    assert ended.status == 0
    assert "Anna" in ended.stdout
    assert BEN in ended.stdout
    assert [asked.path for asked in api.asked].count(path) == 3
    api.asked.clear()
    assert facefleet("people", "-a", "party", "--no-wait").status == 0
    assert path not in [asked.path for asked in api.asked]


def test_a_grouping_that_failed_is_said_so(api: FakeApi, facefleet: Callable[..., Ended]) -> None:
    failed = (200, DONE | {"state": "failed", "detail": "it did not work"})
    api.answers["GET", "/v1/albums/party/people/cluster"] = [failed]
    ended = facefleet("people", "-a", "party")
    assert (ended.status, "it did not work" in ended.stderr) == (0, True)


def test_predictions_are_asked_for(api: FakeApi, facefleet: Callable[..., Ended]) -> None:
    api.answer("POST", "/v1/albums/party/predictions", {"photos": 7})
    ended = facefleet("people", "predict", "-a", "party", "--again")
    assert (ended.status, "7 photos wait" in ended.stdout + ended.stderr) == (0, True)
    assert api.asked[-1].query == {"again": "true"}


@pytest.mark.parametrize(
    ("arguments", "method", "path", "body"),
    [
        (("name", "Anna", "Anna B."), "PATCH", f"/v1/people/{ANNA}", {"name": "Anna B."}),
        (("name", BEN[:8], ""), "PATCH", f"/v1/people/{BEN}", {"name": None}),
        (("hide", ANNA), "PATCH", f"/v1/people/{ANNA}", {"hidden": True}),
        (("hide", ANNA, "--show"), "PATCH", f"/v1/people/{ANNA}", {"hidden": False}),
        (("cover", "Anna", FACE), "PATCH", f"/v1/people/{ANNA}", {"cover_face_id": FACE}),
        (("merge", "Anna", BEN), "POST", f"/v1/people/{ANNA}/merge", {"people": [BEN]}),
        (("split", "Anna", FACE, "--name", "X"), "POST", f"/v1/people/{ANNA}/split", {"face_ids": [FACE], "name": "X"}),
        (("move", "Anna", FACE), "POST", f"/v1/people/{ANNA}/faces", {"face_ids": [FACE]}),
        (("not", "Anna", FACE), "POST", f"/v1/people/{ANNA}/not", {"face_ids": [FACE]}),
        (("delete", "Anna"), "DELETE", f"/v1/people/{ANNA}", None),
        (("purge", "Anna"), "POST", f"/v1/people/{ANNA}/purge", {}),
        (("undo", "Anna"), "POST", f"/v1/people/{ANNA}/undo", {"change_id": None}),
        (("undo", "Anna", "--number", "4"), "POST", f"/v1/people/{ANNA}/undo", {"change_id": FACE}),
    ],
)
def test_what_is_said_about_people(
    api: FakeApi,
    facefleet: Callable[..., Ended],
    arguments: tuple[str, ...],
    method: str,
    path: str,
    body: object,
) -> None:
    change = {"change_id": FACE, "number": 4, "kind": "name"}
    api.answer("GET", f"/v1/people/{ANNA}/history", {"changes": [change], "next": None})
    api.answer(method, path, person(ANNA, "Anna") | change)
    ended = facefleet("people", *arguments)
    assert ended.status == 0, ended.stderr
    assert (api.asked[-1].method, api.asked[-1].path) == (method, path)
    assert json.loads(api.asked[-1].body or b"null") == body


def test_photos_of_people_together(api: FakeApi, facefleet: Callable[..., Ended]) -> None:
    photo = {"album": "party", "photo": "a.jpg", "photo_id": FACE, "face_ids": [FACE]}
    api.answer("GET", f"/v1/people/{ANNA}/photos", {"photos": [photo], "next": None})
    assert facefleet("people", "photos", "Anna", "--with", BEN, "--json").document == [photo]
    assert api.asked[-1].query["with"] == BEN


def test_history(api: FakeApi, facefleet: Callable[..., Ended]) -> None:
    named = {"change_id": FACE, "number": 7, "kind": "name", "person_id": ANNA, "after": {"name": "Anna"}, "faces": 0}
    api.answer("GET", "/v1/people/history", {"changes": [named | {"undone_at": "now"}], "next": None})
    shown = facefleet("people", "history").stdout
    assert all(word in shown for word in ("7", "name Anna", ANNA, "undone"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "say which album"),
        (("name", "Nobody", "x"), "nobody of the name or id 'Nobody'"),
        (("name", "0000", "x"), "2 people"),
        (("undo", "Anna", "--number", "5"), "no change 5"),
    ],
)
def test_what_cannot_be_meant(
    api: FakeApi, facefleet: Callable[..., Ended], arguments: tuple[str, ...], sentence: str
) -> None:
    api.answer("GET", f"/v1/people/{ANNA}/history", {"changes": [], "next": None})
    ended = facefleet("people", *arguments)
    assert (ended.status, ended.stdout) == (2, "")
    assert sentence in ended.stderr
