"""Albums from their first photo to their last, over a socket, with a fleet at work."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.dependencies import Services
from facefleet.records import PhotoState
from tests.integration.api.conftest import indexing, serving

JPEG = {"content-type": "image/jpeg"}


@pytest.fixture
def fleet(services: Services) -> Iterator[httpx.Client]:
    with serving(services) as client, indexing(services):
        client.post("/v1/albums", json={"name": "people"}).raise_for_status()
        yield client


def follow(client: httpx.Client, job_id: str) -> list[tuple[str, dict[str, Any]]]:
    events = []
    with client.stream("GET", f"/v1/jobs/{job_id}/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = (line.partition(": ") for line in response.iter_lines())
        fields = [(name, value) for name, _, value in lines if name in {"event", "data"}]
    for (_, kind), (_, data) in zip(fields[::2], fields[1::2], strict=True):
        events.append((kind, json.loads(data)))
    return events


def search(client: httpx.Client, *people: int, album: str = "people") -> list[list[str]]:
    probe = " ".join(["people", *map(str, people)]).encode()
    response = client.post(f"/v1/albums/{album}/search?min_similarity=0.9", content=probe, headers=JPEG)
    assert response.status_code == 200, response.text
    return [sorted(candidate["photo"] for candidate in face["candidates"]) for face in response.json()["faces"]]


def send(client: httpx.Client, *photos: tuple[str, bytes], album: str = "people") -> dict[str, Any]:
    response = client.post(f"/v1/albums/{album}/photos", files=[("files", photo) for photo in photos])
    assert response.status_code == 202, response.text
    return dict(response.json())


def test_photos_that_were_sent_are_found_by_their_people(fleet: httpx.Client) -> None:
    sent = send(fleet, ("one.jpg", b"people 1"), ("two.jpg", b"people 1 2"), ("broken.jpg", b"nonsense"))
    kind, job = follow(fleet, sent["job_id"])[-1]
    assert (kind, job["photos"], job["indexed"], job["dead"], job["faces"]) == ("done", 3, 2, 1, 3)
    assert search(fleet, 1, 2, 3) == [["one.jpg", "two.jpg"], ["two.jpg"], []]
    (dead,) = fleet.get("/v1/albums/people/photos?state=dead").json()["photos"]
    assert (dead["photo"], dead["reason"], dead["detail"]) == (
        "broken.jpg",
        "photo_undecodable",
        "these bytes are not a photo",
    )
    summary = fleet.get("/v1/albums/people").json()
    assert [summary[count] for count in ("photos", "indexed", "dead", "faces")] == [3, 2, 1, 3]


def test_a_folder_is_indexed_where_it_lies(fleet: httpx.Client, tmp_path: Path) -> None:
    folder = tmp_path / "album é"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "one.jpg").write_bytes(b"people 7")
    started = fleet.post("/v1/albums/people/index", json={"source": str(folder)})
    assert started.status_code == 202, started.text
    assert started.json()["source"] == folder.as_uri()
    kind, job = follow(fleet, started.json()["job_id"])[-1]
    assert (kind, job["indexed"], job["seconds_left"]) == ("done", 1, 0.0)
    assert search(fleet, 7) == [["sub/one.jpg"]]
    fleet.delete("/v1/albums/people").raise_for_status()
    assert (folder / "sub" / "one.jpg").exists()


def test_a_source_that_cannot_be_listed_fails_the_job_with_a_sentence(fleet: httpx.Client, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.symlink_to(tmp_path / "nowhere")
    started = fleet.post("/v1/albums/people/index", json={"source": str(broken)})
    events = follow(fleet, started.json()["job_id"])
    assert events[-1][0] in {"failed", "done"}
    assert events[-1][1]["indexed"] == 0


def walk(client: httpx.Client, kind: str) -> Iterator[str]:
    after: dict[str, str] = {}
    while True:
        page = client.get(f"/v1/albums/people/{kind}", params={"limit": 3, **after}).json()
        yield from (each["photo"] for each in page[kind])
        if page["next"] is None:
            return
        after = {"after": page["next"]}


def test_lists_are_paged_without_gap_or_repetition(fleet: httpx.Client) -> None:
    names = [f"{number}.jpg" for number in range(7)]
    sent = send(fleet, *[(name, b"people 1 2") for name in names])
    follow(fleet, sent["job_id"])
    assert list(walk(fleet, "photos")) == names
    assert list(walk(fleet, "faces")) == [name for name in names for _ in range(2)]


def test_a_retry_gives_dead_photos_another_chance(fleet: httpx.Client) -> None:
    sent = send(fleet, ("broken.jpg", b"nonsense"))
    follow(fleet, sent["job_id"])
    assert fleet.post("/v1/albums/people/retry").json() == {"retried": 1}
    assert follow(fleet, sent["job_id"])[-1][1]["dead"] == 1


def test_a_gallery_that_lost_faces_is_rebuilt(fleet: httpx.Client, services: Services) -> None:
    sent = send(fleet, ("lost.jpg", b"people 1 2"), ("kept.jpg", b"people 3"))
    follow(fleet, sent["job_id"])
    album = services.ledger.albums.get("people")
    lost = next(each for each in services.ledger.photos.list(album.id, None, 9, None) if each.name == "lost.jpg")
    services.gallery.delete_photos(album.id, [lost.id])
    assert fleet.post("/v1/albums/people/rebuild").json() == {"indexed_again": 1, "photos_removed": 0}
    follow(fleet, sent["job_id"])
    assert services.gallery.count(services.model_version, album.id) == 3
    assert fleet.post("/v1/albums/people/rebuild").json() == {"indexed_again": 0, "photos_removed": 0}


def test_a_deleted_album_leaves_no_point_row_or_file(fleet: httpx.Client, services: Services) -> None:
    fleet.post("/v1/albums", json={"name": "other"}).raise_for_status()
    for name in ("people", "other"):
        follow(fleet, send(fleet, ("one.jpg", b"people 1"), album=name)["job_id"])
    people = services.ledger.albums.get("people")
    uploads = services.settings.data_dir / "uploads"
    assert services.gallery.count(services.model_version, people.id) == 1
    assert fleet.delete("/v1/albums/people").status_code == 204
    assert services.gallery.count(services.model_version, people.id) == 0
    assert services.gallery.count(services.model_version) == 1
    assert services.ledger.albums.deleting() == []
    assert services.ledger.photos.list(people.id, None, 10, None) == []
    assert len([path for path in uploads.rglob("*") if path.is_file()]) == 1
    assert fleet.get("/v1/albums/people").status_code == 404
    assert search(fleet, 1, album="other") == [["one.jpg"]]


def test_an_album_can_be_made_anew_under_its_old_name(fleet: httpx.Client) -> None:
    follow(fleet, send(fleet, ("one.jpg", b"people 1"))["job_id"])
    fleet.delete("/v1/albums/people").raise_for_status()
    assert fleet.post("/v1/albums", json={"name": "people"}).status_code == 201
    assert search(fleet, 1) == [[]]


def test_a_search_before_anything_was_ever_indexed_finds_nothing(client: httpx.Client) -> None:
    assert search(client, 1) == [[]]


def test_photos_wait_in_the_ledger_for_a_fleet(client: httpx.Client, services: Services) -> None:
    job_id = send(client, ("one.jpg", b"people 1"))["job_id"]
    job = client.get(f"/v1/jobs/{job_id}").json()
    assert (job["state"], job["waiting"], job["source"]) == ("running", 1, "uploads:")
    (photo,) = services.ledger.photos.list(services.ledger.albums.get("people").id, PhotoState.PENDING, 10, None)
    assert services.stores.read(photo.store_uri, photo.version, 100) == b"people 1"


def test_retention_is_set_shown_and_taken_back(client: httpx.Client) -> None:
    made = client.post("/v1/albums", json={"name": "short", "forget_after_days": 30})
    assert (made.status_code, made.json()["forget_after_days"]) == (201, 30)
    assert client.get("/v1/albums/people").json()["forget_after_days"] is None
    changed = client.patch("/v1/albums/people", json={"forget_after_days": 7})
    assert (changed.status_code, changed.json()["forget_after_days"]) == (200, 7)
    assert client.patch("/v1/albums/people", json={"forget_after_days": None}).json()["forget_after_days"] is None
    for wrong in ({}, {"forget_after_days": 0}, {"forget_after_days": "soon"}, {"days": 3}):
        assert client.patch("/v1/albums/people", json=wrong).status_code == 422
    assert client.patch("/v1/albums/nobody", json={"forget_after_days": 7}).status_code == 404
