import asyncio
from dataclasses import replace
from threading import Event
from uuid import uuid4

import pytest

from api.rekognition.operations import OPERATIONS
from facefleet.errors import Overloaded, PhotoTooLarge
from facefleet.records import Album, GalleryMatch, PhotoState
from tests.unit.api.conftest import Api
from tests.unit.api.fakes import face_in, photo_in

JPEG = {"content-type": "image/jpeg"}


def match_photos(api: Api, album: Album, *names: str) -> list[GalleryMatch]:
    """The album's gallery holds one face in each of these photos, less similar from one to the next."""
    faces = [face_in(album, name) for name in names]
    api.ledger.faces.faces |= {face.id: face for face in faces}
    api.gallery.matches = [GalleryMatch(face.id, face.photo_id, 0.9 - n / 10) for n, face in enumerate(faces)]
    return api.gallery.matches


def search(api: Api, query: str = "", content: bytes = b"F") -> list[dict[str, object]]:
    response = api.ask("POST", f"/v1/albums/people/search{query}", content=content, headers=JPEG)
    assert response.status_code == 200, response.text
    return [face["candidates"] for face in response.json()["faces"]]


def test_a_candidate_says_where_its_face_is(api: Api, album: Album) -> None:
    matches = match_photos(api, album, "a b.jpg")
    response = api.ask("POST", "/v1/albums/people/search", content=b"F", headers=JPEG)
    body = response.json()
    assert (body["width"], body["height"]) == (200, 100)
    assert body["faces"][0]["candidates"] == [
        {
            "photo": "a b.jpg",
            "photo_id": str(matches[0].photo_id),
            "face_id": str(matches[0].face_id),
            "similarity": 0.9,
            "similarity_percent": 99.82,
            "link": None,
            "thumbnail": None,
            "crop": None,
            "width": 400,
            "height": 200,
            "box": [40, 20, 100, 50],
            "box_fraction": [0.1, 0.1, 0.25, 0.25],
        }
    ]
    probe_face = body["faces"][0]["probe_face"]
    assert probe_face["box"] == [10, 10, 20, 25]
    assert probe_face["box_fraction"] == [0.05, 0.1, 0.1, 0.25]
    assert probe_face["landmarks"][0] == [12, 14]
    assert probe_face["detection_score"] == 0.8765
    assert set(probe_face["quality"]) == {
        "overall",
        "size_px",
        "sharpness",
        "brightness",
        "yaw_deg",
        "pitch_deg",
        "roll_deg",
    }


def test_every_face_of_the_probe_gets_its_candidates(api: Api, album: Album) -> None:
    match_photos(api, album, "a", "b")
    assert [[c["photo"] for c in candidates] for candidates in search(api, content=b"FFF")] == [["a", "b"]] * 3


def test_a_probe_without_faces_is_an_answer(api: Api) -> None:
    assert search(api, content=b"landscape") == []


def test_limit_and_min_similarity_reach_the_gallery(api: Api, album: Album) -> None:
    match_photos(api, album, "a", "b", "c")
    assert len(search(api, "?limit=2")[0]) == 2
    assert [c["photo"] for c in search(api, "?min_similarity=0.85")[0]] == ["a"]


def test_without_parameters_the_settings_decide(api: Api, album: Album) -> None:
    strict = api.with_settings(search_limit=1)
    match_photos(strict, album, "a", "b", "c")
    assert len(search(strict)[0]) == 1


def test_a_match_that_the_ledger_does_not_know_is_made_up_for(api: Api, album: Album) -> None:
    match_photos(api, album, "d", "e")
    api.gallery.matches[:0] = [GalleryMatch(uuid4(), uuid4(), 0.99)]
    assert [c["photo"] for c in search(api, "?limit=2")[0]] == ["d", "e"]
    assert api.gallery.asked == [2, 4]


def test_unknown_matches_do_not_keep_a_search_busy(api: Api) -> None:
    api.gallery.matches = [GalleryMatch(uuid4(), uuid4(), 0.9) for _ in range(1000)]
    assert search(api, "?limit=5") == [[]]
    assert len(api.gallery.asked) == 3


def test_a_form_and_an_octet_stream_are_probes_too(api: Api, album: Album) -> None:
    match_photos(api, album, "a")
    form = api.ask("POST", "/v1/albums/people/search", files={"image": ("me.jpg", b"F")})
    stream = api.ask(
        "POST",
        "/v1/albums/people/search",
        content=b"F",
        headers={"content-type": "application/octet-stream; charset=binary"},
    )
    assert form.json() == stream.json()
    assert len(form.json()["faces"]) == 1


@pytest.mark.parametrize("announced", [True, False])
def test_a_probe_that_is_too_large_is_413(api: Api, *, announced: bool) -> None:
    small = api.with_settings(max_probe_bytes=1000)

    async def chunks() -> object:
        for _ in range(3):
            yield b"F" * 400

    content = b"F" * 1200 if announced else chunks()
    response = small.ask("POST", "/v1/albums/people/search", content=content, headers=JPEG)
    assert (response.status_code, response.json()["type"]) == (413, "body_too_large")
    assert "1,000" in response.json()["detail"]


def test_a_probe_at_the_limit_is_searched(api: Api) -> None:
    small = api.with_settings(max_probe_bytes=1000)
    assert search(small, content=b"x" * 1000) == []


def test_a_form_with_an_image_too_large_is_413(api: Api) -> None:
    small = api.with_settings(max_probe_bytes=1000)
    response = small.ask("POST", "/v1/detect", files={"image": ("me.jpg", b"F" * 1001)})
    assert (response.status_code, response.json()["type"]) == (413, "photo_too_large")
    assert small.ask("POST", "/v1/detect", files={"image": ("me.jpg", b"x" * 1000)}).status_code == 200


@pytest.mark.parametrize(("error", "status"), [(PhotoTooLarge("600 megapixels"), 413), (Overloaded("full"), 503)])
def test_what_the_recognizer_refuses_keeps_its_reason(api: Api, error: Exception, status: int) -> None:
    api.recognizer.error = error
    response = api.ask("POST", "/v1/detect", content=b"F", headers=JPEG)
    assert (response.status_code, response.json()["detail"]) == (status, str(error))


def test_searches_beyond_the_places_are_told_to_come_back(api: Api) -> None:
    """One search holds the only place until the other was refused."""
    narrow = api.with_settings(max_search_queue=1)
    entered, refused = Event(), Event()

    def wait_inside() -> None:
        entered.set()
        assert refused.wait(10)

    narrow.recognizer.meanwhile = wait_inside

    async def two_searches() -> tuple[int, int]:
        first = asyncio.create_task(narrow.ask_async("POST", "/v1/detect", content=b"F", headers=JPEG))
        assert await asyncio.to_thread(entered.wait, 10)
        second = await narrow.ask_async("POST", "/v1/detect", content=b"F", headers=JPEG)
        refused.set()
        assert second.headers["retry-after"]
        return (await first).status_code, second.status_code

    assert asyncio.run(two_searches()) == (200, 503)
    assert narrow.ask("POST", "/v1/detect", content=b"F", headers=JPEG).status_code == 200


@pytest.mark.parametrize("path", ["/v1/albums/people/search", "/v1/detect", "/search", "/process"])
def test_a_full_server_refuses_searches_before_it_asks_who_calls(api: Api, path: str) -> None:
    full = api.with_services(keys_are_on=True)
    full.app.state.searches._most = 0
    refused = full.ask("POST", path, content=b"F", headers=JPEG)
    assert (refused.status_code, refused.json()["type"]) == (503, "overloaded")
    assert full.ask("GET", "/v1/albums").status_code == 401


def test_rekognition_throttles_what_looks_at_images_before_it_asks_who_calls(api: Api) -> None:
    full = api.with_services(keys_are_on=True)
    full.app.state.searches._most = 0

    def refusal_of(operation: str) -> str:
        answer = full.ask("POST", "/", content=b"{}", headers={"x-amz-target": f"RekognitionService.{operation}"})
        assert answer.status_code == 400
        return str(answer.json()["__type"])

    assert {refusal_of(name) for name, each in OPERATIONS.items() if each.looks} == {"ThrottlingException"}
    assert refusal_of("ListCollections") == "MissingAuthenticationTokenException"


def test_a_failed_search_gives_its_place_back(api: Api) -> None:
    narrow = api.with_settings(max_search_queue=1)
    for content, status in ((b"bad", 422), (b"", 422), (b"F", 200)):
        assert narrow.ask("POST", "/v1/detect", content=content, headers=JPEG).status_code == status


def test_detect_shows_faces_and_stores_nothing(api: Api) -> None:
    body = api.ask("POST", "/v1/detect", content=b"FF", headers=JPEG).json()
    assert [face["box"] for face in body["faces"]] == [[10, 10, 20, 25], [11, 10, 20, 25]]
    assert api.gallery.asked == []


def notice_of(api: Api, query: str = "", content: bytes = b"F") -> str | None:
    response = api.ask("POST", f"/v1/albums/people/search{query}", content=content, headers=JPEG)
    notice: str | None = response.json()["notice"]
    return notice


def test_a_search_after_a_change_of_pack_says_why_it_finds_nothing(api: Api, album: Album) -> None:
    assert notice_of(api) is None
    photo = photo_in(album, "a.jpg", PhotoState.INDEXED)
    api.ledger.photos.photos = [photo]
    assert notice_of(api) is None
    api.ledger.photos.photos = [replace(photo, model_version="beef")]
    assert "indexed with another model pack" in (notice_of(api) or "")
    assert notice_of(api, content=b"no face") is None
    match_photos(api, album, "a.jpg")
    assert notice_of(api) is None
    assert notice_of(api, "?min_similarity=1") is None
