"""What programs of other face services send, and links to photos."""

import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from api.dependencies import Services
from tests.integration.rekognition.conftest import SdkClient, people

JPEG = {"content-type": "image/jpeg"}
ONE = people(1)["Bytes"]


@pytest.fixture
def faces(http: httpx.Client) -> str:
    """An album, `faces`, that is behind the doors which know only one."""
    http.post("/v1/albums", json={"name": "faces"}).raise_for_status()
    return "/api/v1/collections/faces"


def test_faces_are_found_indexed_and_searched(http: httpx.Client, faces: str, sdk: SdkClient) -> None:
    found = http.post("/api/v1/detect-faces", files={"image": people(1, 2)["Bytes"]}).json()
    assert len(found["face_details"]) == 2
    assert found["face_details"][0]["bounding_box"]["left"] == 0
    form = {"files": {"image": people(1, 2)["Bytes"]}, "data": {"external_image_id": "a.jpg", "max_faces": "1"}}
    indexed = http.post(f"{faces}/index-faces", files=form["files"], data=form["data"]).json()
    (face,) = [record["face"] for record in indexed["face_records"]]
    assert face["external_image_id"] == "a.jpg"
    assert indexed["unindexed_faces"][0]["reasons"] == ["EXCEEDS_MAX_FACES"]
    matches = http.post(f"{faces}/search-faces?similarity_threshold=90&max_faces=5", content=ONE, headers=JPEG).json()
    assert matches["face_matches"][0]["face"] == face
    aws = sdk.search_faces_by_image(CollectionId="faces", Image=people(1))["FaceMatches"]
    assert [match["Face"]["FaceId"] for match in aws] == [face["face_id"]]


@pytest.mark.parametrize(
    ("path", "content", "status", "kind"),
    [
        ("/api/v1/collections/other/search-faces", ONE, 404, "album_not_found"),
        ("/api/v1/collections/faces/search-faces?max_faces=many", ONE, 422, "invalid_request"),
        ("/api/v1/collections/faces/search-faces?max_faces=5000", ONE, 400, "rekognition_error"),
        ("/api/v1/collections/faces/search-faces?similarity_threshold=nan", ONE, 400, "rekognition_error"),
        ("/api/v1/collections/faces/index-faces?external_image_id=a/b", ONE, 400, "rekognition_error"),
        ("/api/v1/collections/faces/search-faces", b"people", 400, "rekognition_error"),
        ("/api/v1/detect-faces", b"no photo", 422, "photo_undecodable"),
        ("/cluster", b"", 415, "unsupported_media_type"),
    ],
)
@pytest.mark.usefixtures("faces")
def test_what_cannot_be_is_a_problem(http: httpx.Client, path: str, content: bytes, status: int, kind: str) -> None:
    response = http.post(path, content=content, headers=JPEG)
    assert (response.status_code, response.json()["type"]) == (status, kind), response.text


def test_one_album_behind_a_door(http: httpx.Client, faces: str) -> None:
    assert http.get("/status").json() == {"collection": "faces", "vectors": 0, "status": "ready"}
    http.post(f"{faces}/index-faces", content=ONE, headers=JPEG).raise_for_status()
    assert http.get("/status").json()["vectors"] == 1
    (match,) = http.post("/search", content=ONE, headers=JPEG).json()["face_matches"]
    assert "/v1/photos/" in match["photo_url"]
    sent = http.post("/upload", files={"file": ("b.jpg", people(3)["Bytes"])})
    assert sent.status_code == 202
    waiting = http.get("/v1/albums/faces/photos?state=pending").json()["photos"]
    assert [photo["photo_id"] for photo in waiting] == [sent.json()["image_id"]]
    predictions = http.get(f"/predictions/{sent.json()['image_id']}").json()
    assert predictions == {"image_id": sent.json()["image_id"], "status": "indexing", "faces": []}


def test_health_says_what_is_missing(http: httpx.Client, services: Services) -> None:
    healthy = {"model_loaded": True, "qdrant_healthy": True, "shutdown_initiated": False}
    assert http.get("/health").json() == {"status": "healthy", "ready": True, "checks": healthy}
    services.gallery.close()
    response = http.get("/health")
    assert response.status_code == 503
    assert response.json()["checks"]["qdrant_healthy"] is False


def test_a_link_opens_one_photo_until_it_expires(
    http: httpx.Client, faces: str, monkeypatch: pytest.MonkeyPatch, services: Services
) -> None:
    monkeypatch.setattr("api.routes.photo_links.sniff_format", lambda _: "JPEG")
    http.post(f"{faces}/index-faces", content=ONE, headers=JPEG).raise_for_status()
    native = http.post("/v1/albums/faces/search?links=true", content=ONE, headers=JPEG).json()
    link = native["faces"][0]["candidates"][0]["link"]
    shown = http.get(link)
    assert (shown.status_code, shown.content) == (200, ONE)
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "link" not in (http.post("/v1/albums/faces/search", content=ONE, headers=JPEG).json()["faces"][0])
    expires = int(parse_qs(urlsplit(link).query)["expires"][0])
    life_s = expires - time.time()
    assert services.settings.link_expiry_s - 60 < life_s < 1.2 * services.settings.link_expiry_s
    later, other = link.replace(str(expires), str(expires + 1)), link.replace("/v1/photos/", "/v1/photos/0", 1)
    assert http.get(later).status_code == 403
    assert http.get(other).status_code == 422
    monkeypatch.setattr("api.photo_links.time.time", lambda: expires + 1.0)
    assert http.get(link).json()["type"] == "link_refused"
    monkeypatch.undo()
    http.delete("/v1/albums/faces").raise_for_status()
    assert http.get(link).status_code == 404
