"""What the web page asks for: pictures, photos with faces, similar faces, zips, and what is known already."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest
from PIL import Image

from api.dependencies import Services
from tests.fixtures.processes import wait_until
from tests.integration.api.conftest import indexing, serving

JPEG = {"content-type": "image/jpeg"}
ALBUM = "/v1/albums/people"
PHOTOS = {"a.jpg": b"people 0 1", "b/b.jpg": b"people 1", "c.jpg": b"people 2"}


@pytest.fixture
def http(services: Services) -> Iterator[httpx.Client]:
    """A server with an album of three photos, all indexed."""
    with serving(services) as client, indexing(services):
        client.post("/v1/albums", json={"name": "people"}).raise_for_status()
        files = [("files", (name, content)) for name, content in PHOTOS.items()]
        client.post(f"{ALBUM}/photos", files=files).raise_for_status()
        wait_until(lambda: client.get(ALBUM).json()["indexed"] == len(PHOTOS), "all photos are indexed")
        yield client


def photo_ids(http: httpx.Client) -> dict[str, str]:
    return {photo["photo"]: photo["photo_id"] for photo in http.get(f"{ALBUM}/photos").json()["photos"]}


def path_of(link: str) -> str:
    return urlsplit(link)._replace(scheme="", netloc="").geturl()


def test_the_page_is_served_with_a_policy_that_lets_nothing_else_in(http: httpx.Client) -> None:
    page = http.get("/")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "<script>" not in page.text
    assert "style=" not in page.text
    script = http.get("/web/js/main.js")
    assert "javascript" in script.headers["content-type"]
    assert script.headers["x-content-type-options"] == "nosniff"
    assert http.get("/web/js/main.js", headers={"If-None-Match": script.headers["etag"]}).status_code == 304
    assert http.get("/web/../main.py").status_code == 404


def test_pictures_are_shown_to_whoever_has_a_link(http: httpx.Client) -> None:
    listed = http.get(f"{ALBUM}/photos?links=true").json()["photos"]
    thumbnail = http.get(path_of(listed[0]["thumbnail"]))
    assert thumbnail.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(thumbnail.content)).size == (400, 200)
    larger = http.get(path_of(listed[0]["thumbnail"]) + "&size=screen")
    assert larger.status_code == 200
    assert http.get(path_of(listed[0]["thumbnail"]) + "&size=huge").status_code == 422
    foreign = path_of(listed[0]["thumbnail"]).replace(listed[0]["photo_id"], listed[1]["photo_id"])
    assert http.get(foreign).json()["type"] == "link_refused"
    assert "thumbnail" in http.get(f"{ALBUM}/photos").json()["photos"][0]
    assert http.get(f"{ALBUM}/photos").json()["photos"][0]["thumbnail"] is None


def test_a_photo_is_shown_with_its_faces_and_their_pictures(http: httpx.Client) -> None:
    shown = http.get(f"{ALBUM}/photos/{photo_ids(http)['a.jpg']}").json()
    assert (shown["photo"]["photo"], shown["photo"]["faces"], shown["photo"]["size_bytes"]) == ("a.jpg", 2, 10)
    assert [face["box"][0] for face in shown["faces"]] == [0.0, 40.0]
    crop = http.get(path_of(shown["faces"][0]["crop"]))
    pixels = np.asarray(Image.open(io.BytesIO(crop.content)))
    assert pixels.shape == (85, 85, 3)
    assert tuple(pixels[40, 30] > 200) == (True, False, False)
    assert http.get(f"{ALBUM}/photos/{uuid4()}").status_code == 404
    http.post("/v1/albums", json={"name": "other"}).raise_for_status()
    assert http.get(f"/v1/albums/other/photos/{photo_ids(http)['a.jpg']}").status_code == 404


def test_nothing_is_shown_of_an_album_that_was_deleted(http: httpx.Client) -> None:
    shown = http.get(f"{ALBUM}/photos/{photo_ids(http)['a.jpg']}").json()
    links = [path_of(shown["photo"]["thumbnail"]), path_of(shown["faces"][0]["crop"])]
    assert [http.get(link).status_code for link in links] == [200, 200]
    http.delete(ALBUM).raise_for_status()
    assert [http.get(link).status_code for link in links] == [404, 404]


def test_faces_like_one_of_the_albums_own_are_found_without_it(http: httpx.Client) -> None:
    mine = http.get(f"{ALBUM}/photos/{photo_ids(http)['a.jpg']}").json()["faces"][1]
    found = http.get(f"{ALBUM}/faces/{mine['face_id']}/similar?min_similarity=0.9&links=true").json()
    assert (found["face"]["face_id"], found["face"]["photo"]) == (mine["face_id"], "a.jpg")
    assert http.get(path_of(found["face"]["crop"])).status_code == 200
    found = found["candidates"]
    assert [(each["photo"], each["similarity"]) for each in found] == [("b/b.jpg", 1.0)]
    assert all(http.get(path_of(found[0][link])).status_code == 200 for link in ("thumbnail", "crop"))
    assert len(http.get(f"{ALBUM}/faces/{mine['face_id']}/similar?min_similarity=-1").json()["candidates"]) == 3
    assert http.get(f"{ALBUM}/faces/{uuid4()}/similar").status_code == 404


def test_lists_of_photos_can_jump(http: httpx.Client) -> None:
    names = [
        [photo["photo"] for photo in http.get(f"{ALBUM}/photos?limit=2&offset={offset}").json()["photos"]]
        for offset in (0, 1, 2, 3)
    ]
    assert names == [["a.jpg", "b/b.jpg"], ["b/b.jpg", "c.jpg"], ["c.jpg"], []]


def test_a_zip_has_the_photos_as_they_are_and_names_what_is_missing(http: httpx.Client, services: Services) -> None:
    ids = photo_ids(http)
    response = http.post(f"{ALBUM}/photos/zip", json={"photo_ids": list(ids.values())})
    assert response.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == PHOTOS
    lost_id = UUID(ids["c.jpg"])
    services.stores.delete(services.ledger.photos.get_many([lost_id])[lost_id].store_uri)
    response = http.post(f"{ALBUM}/photos/zip", json={"photo_ids": list(ids.values())})
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert sorted(archive.namelist()) == ["a.jpg", "b/b.jpg", "left-out.txt"]
        assert archive.read("left-out.txt").startswith(b"c.jpg: ")
    assert http.post(f"{ALBUM}/photos/zip", json={"photo_ids": [str(uuid4())]}).status_code == 404
    assert http.post(f"{ALBUM}/photos/zip", json={"photo_ids": []}).status_code == 422


def test_an_upload_is_taken_up_where_it_ended(http: httpx.Client, services: Services, tmp_path: Path) -> None:
    wanted = [("a.jpg", 10), ("a.jpg", 11), ("new.jpg", 8)]
    body = {"photos": [{"photo": name, "size_bytes": size} for name, size in wanted]}
    assert http.post(f"{ALBUM}/photos/known", json=body).json() == {"known": [True, False, False]}
    first = http.post(f"{ALBUM}/photos", files=[("files", ("new.jpg", b"people 7"))]).json()["job_id"]
    again = http.post(f"{ALBUM}/photos?job={first}", files=[("files", ("newer.jpg", b"people 8"))])
    assert again.json()["job_id"] == first
    wait_until(lambda: http.get(f"/v1/jobs/{first}").json()["indexed"] == 2, "both parts are one job")
    assert http.post(f"{ALBUM}/photos?job={uuid4()}", files=[("files", ("x.jpg", b"people 9"))]).status_code == 404
    (tmp_path / "empty").mkdir()
    source = (tmp_path / "empty").as_uri()
    listing = services.ledger.jobs.create(services.ledger.albums.get("people").id, source)
    refused = http.post(f"{ALBUM}/photos?job={listing.id}", files=[("files", ("x.jpg", b"people 9"))])
    assert refused.status_code == 404


def test_the_system_says_what_it_works_with_and_what_waits(http: httpx.Client, services: Services) -> None:
    shown = http.get("/v1/system").json()
    assert shown["model"]["name"] == "drawn"
    assert shown["model"]["licence"] == "anybody's"
    assert shown["work"]["waiting"] == 0
    assert shown["work"]["finished_per_minute"] == 3
    assert shown["limits"]["max_download_photos"] == services.settings.max_download_photos
    assert shown["embedded"] is True
