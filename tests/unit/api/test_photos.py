import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
import pytest

from api.bodies import shown_name
from api.receiving import safe_file_name
from facefleet.errors import AlbumNotFound, PhotoStoreUnavailable
from facefleet.photo_store.contents import content_version
from facefleet.records import Album, JobState, PhotoRef, PhotoState, photo_id_of
from tests.unit.api.conftest import Api
from tests.unit.api.fakes import face_in, photo_in

JPEG = {"content-type": "image/jpeg"}
UPLOAD = "/v1/albums/people/photos"


def test_a_raw_photo_is_kept_and_registered(api: Api, album: Album) -> None:
    response = api.ask("POST", f"{UPLOAD}?name=IMG%201.jpg", content=b"pixels", headers=JPEG)
    assert response.status_code == 202, response.text
    ((uri, content),) = api.stores.files.items()
    ((job_id, refs),) = api.ledger.jobs.refs.items()
    assert response.json() == {"job_id": str(job_id), "photos": [{"photo": "IMG 1.jpg", "size_bytes": 6}]}
    assert content == b"pixels"
    assert uri.startswith(f"{api.services.settings.resolved_upload_url}/{album.id}/")
    assert uri.endswith("/IMG_1.jpg")
    assert [(ref.uri, ref.name, ref.version, ref.size_bytes) for ref in refs] == [
        (uri, "IMG 1.jpg", content_version(b"pixels"), 6)
    ]
    job = api.ledger.jobs.jobs[job_id]
    assert (job.source, job.state) == ("uploads:", JobState.RUNNING)


def test_a_form_brings_many_photos_of_any_size_and_name(api: Api) -> None:
    contents = [b"small", b"x" * 3_000_000, b""]
    files = [("files", (name, content)) for name, content in zip(["a.jpg", "a.jpg", "ü/ñ.png"], contents, strict=True)]
    response = api.ask("POST", UPLOAD, files=files)
    assert response.status_code == 202, response.text
    assert [photo["photo"] for photo in response.json()["photos"]] == ["a.jpg", "a.jpg", "ü/ñ.png"]
    assert list(api.stores.files.values()) == contents


def test_a_photo_too_large_keeps_the_whole_form_out(api: Api) -> None:
    small = api.with_settings(max_photo_bytes=100)
    files = [("files", ("a.jpg", b"x" * 100)), ("files", ("b.jpg", b"x" * 101))]
    response = small.ask("POST", UPLOAD, files=files)
    assert (response.status_code, response.json()["type"]) == (413, "photo_too_large")
    assert "'b.jpg'" in response.json()["detail"]
    assert api.stores.files == {}
    assert small.ask("POST", UPLOAD, files=files[:1]).status_code == 202


def test_a_body_too_large_is_refused_unread(api: Api) -> None:
    small = api.with_settings(max_upload_bytes=2000)
    assert small.ask("POST", UPLOAD, files=[("files", ("a.jpg", b"x" * 3000))]).status_code == 413
    raw = small.ask("POST", f"{UPLOAD}?name=a.jpg", content=b"x" * 2001, headers=JPEG)
    assert (raw.status_code, raw.json()["type"]) == (413, "body_too_large")
    assert api.stores.files == {}


def test_a_form_with_more_files_than_a_request_may_hold_open_is_refused(api: Api) -> None:
    response = api.ask("POST", UPLOAD, files=[("files", (f"{n}.jpg", b"x")) for n in range(201)])
    assert response.status_code == 400
    assert "200" in response.json()["detail"]
    small = api.with_settings(max_upload_photos=1)
    assert small.ask("POST", UPLOAD, files=[("files", (f"{n}.jpg", b"x")) for n in range(2)]).status_code == 400


def test_the_album_is_looked_up_before_the_body_is_read(api: Api) -> None:
    async def never_read() -> object:
        raise AssertionError
        yield b""

    response = api.ask("POST", "/v1/albums/nobody/photos?name=a.jpg", content=never_read(), headers=JPEG)
    assert (response.status_code, response.json()["type"]) == (404, "album_not_found")


@pytest.mark.parametrize("error", [PhotoStoreUnavailable("full"), RuntimeError("bug")])
def test_a_store_that_fails_halfway_brings_nothing_into_the_album(api: Api, error: Exception) -> None:
    api.stores.failing = (1, error)
    response = api.ask("POST", UPLOAD, files=[("files", ("a.jpg", b"1")), ("files", ("b.jpg", b"2"))])
    assert response.status_code in {500, 503}
    assert api.ledger.jobs.jobs == {}
    (left,) = api.stores.files
    api.stores.failing = None
    assert api.ask("POST", UPLOAD, files=[("files", ("a.jpg", b"1")), ("files", ("b.jpg", b"2"))]).status_code == 202
    assert (len(api.stores.files), left in api.stores.files) == (2, True)


def sent_refs(api: Api) -> list[PhotoRef]:
    """The photos of all requests so far, in their order."""
    return [ref for refs in api.ledger.jobs.refs.values() for ref in refs]


def test_the_same_bytes_under_the_same_name_are_the_same_photo(api: Api, album: Album) -> None:
    for name, content in (("a.jpg", b"1"), ("a.jpg", b"1"), ("a.jpg", b"2"), ("b.jpg", b"1")):
        api.ask("POST", f"{UPLOAD}?name={name}", content=content, headers=JPEG)
    ids = [photo_id_of(album.id, ref.uri, ref.version, "feed") for ref in sent_refs(api)]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert len({ref.uri for ref in sent_refs(api)}) == 3


def test_a_photo_of_a_source_keeps_its_place_when_its_bytes_change(api: Api) -> None:
    for source, content in (("file:///a", b"1"), ("file:///a", b"1"), ("file:///a", b"2"), ("file:///b", b"1")):
        form = {"files": [("files", ("photo", content))], "data": {"names": "sub/a.jpg"}}
        assert api.ask("POST", f"{UPLOAD}?source={source}", **form).status_code == 202
    first, again, changed, other = sent_refs(api)
    assert first == again
    assert (changed.uri, changed.name) == (first.uri, "sub/a.jpg")
    assert changed.version == content_version(b"2")
    assert other.uri != first.uri


@pytest.mark.parametrize("name", ["new\nline.jpg", 'quo"te.jpg', "tab\t.jpg", "日本/ü.jpg", "100%.jpg", "x" * 5000])
def test_a_percent_encoded_name_arrives_as_it_is(api: Api, name: str) -> None:
    form = {"files": [("files", ("photo", b"1"))], "data": {"names": quote(name)}}
    response = api.ask("POST", f"{UPLOAD}?source=file:///a", **form)
    assert response.status_code == 202, response.text
    assert response.json()["photos"][0]["photo"] == name


@pytest.mark.parametrize("names", [["a.jpg"], ["a.jpg", "%FF"], ["a.jpg", ""], ["a.jpg", "b.jpg", "c.jpg"]])
def test_names_that_fit_no_photo_are_refused(api: Api, names: list[str]) -> None:
    files = [("files", ("1", b"1")), ("files", ("2", b"2"))]
    response = api.ask("POST", UPLOAD, files=files, data={"names": names})
    assert (response.status_code, response.json()["type"]) == (422, "invalid_request")
    assert api.stores.files == {}


def test_an_album_deleted_while_photos_arrive_keeps_none_of_them(api: Api, album: Album) -> None:
    write = api.stores.write

    def write_and_lose_the_album(uri: str, data: bytes) -> object:
        api.ledger.albums.begin_delete(album.id)
        return write(uri, data)

    api.stores.write = write_and_lose_the_album  # type: ignore[method-assign]  # planted
    response = api.ask("POST", f"{UPLOAD}?name=a.jpg", content=b"1", headers=JPEG)
    assert (response.status_code, response.json()["type"]) == (404, AlbumNotFound.reason)
    assert api.stores.files == {}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("IMG_1.JPG", "IMG_1.JPG"),
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\me and you.jpg", "me_and_you.jpg"),
        ("..", "photo"),
        (".htaccess", "htaccess"),
        ("日本.jpg", "_.jpg"),
        ("日本", "_"),
        ("a\r\nb.jpg", "a_b.jpg"),
        ("x" * 300 + ".jpg", "x" * 96 + ".jpg"),
    ],
)
def test_what_a_stored_file_is_called(sent: str, kept: str) -> None:
    assert safe_file_name(sent) == kept


def test_a_shown_name_is_printable() -> None:
    assert shown_name("dir/a\nb\u202e.jpg") == "dir/a\ufffdb\ufffd.jpg"
    assert shown_name("Screenshot 10.00\u202fAM.png") == "Screenshot 10.00\u202fAM.png"


def test_photos_are_paged_and_filtered(api: Api, album: Album) -> None:
    dead = photo_in(album, "c", PhotoState.DEAD, "photo_undecodable")
    api.ledger.photos.photos = [
        photo_in(album, "a", PhotoState.INDEXED),
        photo_in(album, "b", PhotoState.INDEXED),
        dead,
    ]
    first = api.ask("GET", f"{UPLOAD}?limit=2").json()
    assert [photo["photo"] for photo in first["photos"]] == ["a", "b"]
    rest = api.ask("GET", f"{UPLOAD}?limit=2&after={first['next']}").json()
    assert (len(rest["photos"]), rest["next"]) == (1, None)
    assert api.ask("GET", f"{UPLOAD}?limit=3").json()["next"] is None
    assert api.ask("GET", f"{UPLOAD}?state=dead").json()["photos"] == [
        {
            "photo_id": str(dead.id),
            "photo": "c",
            "state": "dead",
            "reason": "photo_undecodable",
            "detail": "It is not a photo.",
            "faces": None,
            "width": 400,
            "height": 200,
            "size_bytes": 10,
            "taken_at": None,
            "thumbnail": None,
            "link": None,
        }
    ]


def test_dead_photos_are_tried_again(api: Api, album: Album) -> None:
    api.ledger.photos.photos = [photo_in(album, "c", PhotoState.DEAD, "photo_undecodable")]
    assert api.ask("POST", "/v1/albums/people/retry").json() == {"retried": 1}


def test_faces_are_paged(api: Api, album: Album) -> None:
    faces = [face_in(album, name) for name in ("a", "b", "c")]
    api.ledger.faces.faces = {face.id: face for face in faces}
    first = api.ask("GET", "/v1/albums/people/faces?limit=2").json()
    assert [face["photo"] for face in first["faces"]] == ["a", "b"]
    assert first["next"] == str(faces[1].id)
    (last,) = api.ask("GET", f"/v1/albums/people/faces?after={first['next']}").json()["faces"]
    assert last["face_id"] == str(faces[2].id)
    assert last["box_fraction"] == [0.1, 0.1, 0.25, 0.25]
    assert last["landmarks"][0] == [12, 14]
    assert last["quality"]["roll_deg"] == 3.0


def test_a_server_without_a_model_pack_takes_no_photos(api: Api) -> None:
    response = api.with_services(model_version="").ask("POST", f"{UPLOAD}?name=a.jpg", content=b"1", headers=JPEG)
    assert (response.status_code, response.json()["type"]) == (503, "recognizer_unavailable")
    assert api.stores.files == {}


def test_uploads_beyond_the_places_are_told_to_come_back(api: Api) -> None:
    """One upload holds the only place until the other was refused."""
    narrow = api.with_settings(max_uploads=1)
    path = f"{UPLOAD}?name=a.jpg"

    async def two_uploads() -> tuple[int, httpx.Response]:
        begun, refused = asyncio.Event(), asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            yield b"F"
            begun.set()
            await asyncio.wait_for(refused.wait(), 10)

        first = asyncio.create_task(narrow.ask_async("POST", path, content=body(), headers=JPEG))
        await asyncio.wait_for(begun.wait(), 10)
        second = await narrow.ask_async("POST", path, content=b"F", headers=JPEG)
        refused.set()
        return (await first).status_code, second

    status, second = asyncio.run(two_uploads())
    assert (status, second.status_code, second.json()["type"]) == (202, 503, "overloaded")
    assert second.headers["retry-after"]
    assert narrow.ask("POST", path, content=b"F", headers=JPEG).status_code == 202
