"""What the audit log says after requests, and that nothing is answered of which it says nothing."""

import json
from collections.abc import Iterator

import httpx
import pytest
import sqlalchemy as sa

from api.dependencies import Services
from facefleet.records import DEFAULT_TENANT, Album
from tests.fixtures.processes import wait_until
from tests.integration.api.conftest import indexing
from tests.integration.rekognition.conftest import SdkClient, connect_sdk, people

JPEG = {"Content-Type": "image/jpeg"}


@pytest.fixture
def album(client: httpx.Client, services: Services) -> Album:
    """It has a photo of person 1, and one of persons 1 and 2."""
    sent = [("files", ("a.jpg", b"people 1")), ("files", ("b.jpg", b"people 1 2"))]
    job = client.post("/v1/albums/people/photos", files=sent).raise_for_status().json()["job_id"]
    with indexing(services):
        wait_until(lambda: client.get(f"/v1/jobs/{job}").json()["state"] == "done", "both are indexed")
    return services.ledger.albums.get("people")


@pytest.fixture
def sdk(client: httpx.Client) -> Iterator[SdkClient]:
    connected = connect_sdk(str(client.base_url))
    yield connected
    connected.close()


def said(services: Services, album: Album) -> list[tuple[str, str, dict[str, int]]]:
    """What was done to an album, by whom, and the outcome; oldest first."""
    rows = list(reversed(services.ledger.audit.page(100, object_ids=[str(album.id)])))
    assert {row.tenant for row in rows} == {DEFAULT_TENANT}
    return [(row.action, row.who, json.loads(row.outcome)) for row in rows]


def test_searches_of_every_door_are_in_it(
    client: httpx.Client, services: Services, album: Album, sdk: SdkClient
) -> None:
    client.post("/v1/albums/people/search", content=b"people 1 2", headers=JPEG).raise_for_status()
    face = client.get("/v1/albums/people/faces").json()["faces"][0]["face_id"]
    client.get(f"/v1/albums/people/faces/{face}/similar").raise_for_status()
    client.post("/api/v1/collections/people/search-faces", content=b"people 2", headers=JPEG).raise_for_status()
    sdk.search_faces_by_image(CollectionId="people", Image=people(2))
    sdk.search_faces(CollectionId="people", FaceId=face)
    sdk.search_users_by_image(CollectionId="people", Image=people(1))
    counts = [outcome for action, who, outcome in said(services, album) if (action, who) == ("search", "local")]
    assert counts[0] == {"faces": 2, "candidates": 3}
    assert [each.get("candidates") for each in counts[2:4]] == [1, 1]
    assert counts[5] == {"faces": 1, "users": 0}
    assert len(counts) == 6
    assert services.ledger.audit.verify().rows == 6


def test_what_leaves_and_what_goes_is_in_it(
    client: httpx.Client, services: Services, album: Album, sdk: SdkClient
) -> None:
    photos = [each["photo_id"] for each in client.get("/v1/albums/people/photos").json()["photos"]]
    client.post("/v1/albums/people/photos/zip", json={"photo_ids": photos}).raise_for_status()
    face = client.get("/v1/albums/people/faces").json()["faces"][0]["face_id"]
    sdk.delete_faces(CollectionId="people", FaceIds=[face])
    client.delete("/v1/albums/people").raise_for_status()
    assert said(services, album) == [
        ("photos_exported", "local", {"photos": 2}),
        ("faces_deleted", "local", {"faces": 1, "photos": 0}),
        ("album_deleted", "local", {"photos": 2}),
        ("album_purged", "facefleet", {}),
    ]


def test_what_cannot_be_logged_is_not_answered(client: httpx.Client, services: Services, album: Album) -> None:
    with services.ledger.database.writing() as connection:
        connection.execute(sa.text("CREATE TRIGGER refuse BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END"))
    answer = client.post("/v1/albums/people/search", content=b"people 1", headers=JPEG)
    assert answer.status_code == 500
    assert "candidates" not in answer.text
    assert client.delete("/v1/albums/people").status_code == 500
    assert services.ledger.albums.get("people") == album
