import pytest

from facefleet.errors import GalleryUnavailable
from facefleet.records import Album
from tests.unit.api.conftest import Api


def test_a_new_album_is_shown_with_its_counts(api: Api) -> None:
    response = api.ask("POST", "/v1/albums", json={"name": "Zoë & Tom's\u3000\u202f2024"})
    assert response.status_code == 201
    created = response.json()
    counts = {"photos", "indexed", "dead", "faces"}
    assert set(created) == {"id", "name", "created_at", "forget_after_days"} | counts
    assert api.ask("GET", "/v1/albums/Zo%C3%AB%20%26%20Tom's%E3%80%80%E2%80%AF2024").json() == created


def test_all_albums_are_listed(api: Api) -> None:
    api.ask("POST", "/v1/albums", json={"name": "b"})
    albums = api.ask("GET", "/v1/albums").json()["albums"]
    assert [album["name"] for album in albums] == ["people", "b"]
    assert [albums[0][count] for count in ("photos", "indexed", "dead", "faces")] == [3, 2, 1, 4]


def test_a_deleted_album_leaves_neither_points_nor_uploads_nor_rows(api: Api, album: Album) -> None:
    other = api.ledger.albums.create("other")
    for name in ("people", "other"):
        api.ask("POST", f"/v1/albums/{name}/photos?name=a.jpg", content=b"F", headers={"content-type": "image/jpeg"})
    assert api.ask("DELETE", "/v1/albums/people").status_code == 204
    assert api.gallery.deleted == [album.id]
    assert [str(other.id) in uri for uri in api.stores.files] == [True]
    assert list(api.ledger.albums.albums) == [other.id]
    assert api.ask("GET", "/v1/albums/people").status_code == 404


def test_an_album_whose_purge_was_cut_short_stays_hidden_until_it_is_finished(api: Api, album: Album) -> None:
    api.gallery.down = GalleryUnavailable("away")
    assert api.ask("DELETE", "/v1/albums/people").status_code == 503
    assert api.ask("GET", "/v1/albums/people").status_code == 404
    assert album.id in api.ledger.albums.albums


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
def test_the_api_describes_itself(api: Api, path: str) -> None:
    response = api.ask("GET", path)
    assert response.status_code == 200


def test_the_description_names_every_route_and_its_bodies(api: Api) -> None:
    description = api.ask("GET", "/openapi.json").json()
    routes = {(method, path) for path, methods in description["paths"].items() for method in methods}
    assert {
        ("post", "/v1/albums"),
        ("get", "/v1/albums"),
        ("get", "/v1/albums/{album}"),
        ("patch", "/v1/albums/{album}"),
        ("delete", "/v1/albums/{album}"),
        ("post", "/v1/albums/{album}/photos"),
        ("get", "/v1/albums/{album}/photos"),
        ("get", "/v1/albums/{album}/photos/{photo}"),
        ("post", "/v1/albums/{album}/photos/known"),
        ("post", "/v1/albums/{album}/photos/zip"),
        ("get", "/v1/albums/{album}/faces/{face}/similar"),
        ("get", "/v1/photos/{photo_id}/thumbnail"),
        ("get", "/v1/faces/{face_id}/crop"),
        ("get", "/v1/system"),
        ("post", "/v1/albums/{album}/index"),
        ("post", "/v1/albums/{album}/retry"),
        ("post", "/v1/albums/{album}/rebuild"),
        ("post", "/v1/albums/{album}/search"),
        ("get", "/v1/albums/{album}/faces"),
        ("get", "/v1/jobs/{job}"),
        ("get", "/v1/jobs/{job}/events"),
        ("post", "/v1/detect"),
        ("post", "/v1/events/s3"),
        ("get", "/v1/ingest/dead"),
        ("get", "/healthz"),
        ("get", "/readyz"),
        ("get", "/metrics"),
        ("get", "/v1/photos/{photo_id}"),
        ("post", "/api/v1/detect-faces"),
        ("post", "/api/v1/collections/{collection}/index-faces"),
        ("post", "/api/v1/collections/{collection}/search-faces"),
        ("post", "/search"),
        ("get", "/health"),
        ("get", "/status"),
        ("post", "/upload"),
        ("get", "/predictions/{image_id}"),
        ("post", "/cluster"),
        ("post", "/process"),
        ("get", "/v1/callbacks/dead"),
        ("post", "/v1/session"),
        ("get", "/v1/session"),
        ("delete", "/v1/session"),
        ("get", "/v1/albums/{album}/people"),
        ("post", "/v1/albums/{album}/people"),
        ("get", "/v1/albums/{album}/people/cluster"),
        ("post", "/v1/albums/{album}/people/cluster"),
        ("get", "/v1/albums/{album}/people/faces"),
        ("post", "/v1/albums/{album}/predictions"),
        ("get", "/v1/people"),
        ("get", "/v1/people/history"),
        ("delete", "/v1/people/{person}"),
        ("get", "/v1/people/{person}"),
        ("patch", "/v1/people/{person}"),
        ("get", "/v1/people/{person}/companions"),
        ("get", "/v1/people/{person}/faces"),
        ("post", "/v1/people/{person}/faces"),
        ("get", "/v1/people/{person}/history"),
        ("post", "/v1/people/{person}/merge"),
        ("post", "/v1/people/{person}/not"),
        ("get", "/v1/people/{person}/photos"),
        ("post", "/v1/people/{person}/purge"),
        ("post", "/v1/people/{person}/split"),
        ("post", "/v1/people/{person}/undo"),
        ("get", "/v1/photos/{photo}/people"),
        ("get", "/v1/photos/{photo}/predictions"),
    } == routes
    search = description["paths"]["/v1/albums/{album}/search"]["post"]
    assert set(search["requestBody"]["content"]) == {"image/*", "application/octet-stream", "multipart/form-data"}
    assert "application/problem+json" in search["responses"]["422"]["content"]
