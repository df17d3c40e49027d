"""Every command against a server that answers from a table."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.processes import free_port
from tests.integration.cli.conftest import Ended, FakeApi

Facefleet = Callable[..., Ended]

PHOTOS = [
    {"photo_id": "1", "photo": "a [bold].jpg", "state": "indexed", "reason": None, "detail": None, "faces": 2},
    {
        "photo_id": "2",
        "photo": "ünï.jpg",
        "state": "dead",
        "reason": "photo_undecodable",
        "detail": "cut",
        "faces": None,
    },
]
QUALITY = {
    "overall": 0.5,
    "size_px": 40.0,
    "sharpness": 200.0,
    "brightness": 120.0,
    "yaw_deg": 0.0,
    "pitch_deg": 0.0,
    "roll_deg": 0.0,
}
PLACE = {"box": [5, 6, 7, 8], "box_fraction": [0.5, 0.6, 0.1, 0.1], "landmarks": [[1, 2]]}
FACE = {
    "photo": "a.jpg",
    "photo_id": "1",
    "face_id": "f",
    "box": [1, 2, 30, 40],
    "box_fraction": [0.1, 0.2, 0.3, 0.4],
    "landmarks": [[1, 2]],
    "detection_score": 0.9,
    "quality": QUALITY,
}
CANDIDATE = {
    "photo": "a.jpg",
    "photo_id": "1",
    "face_id": "f",
    "similarity": 0.7,
    "similarity_percent": 99.5,
    "box": [1, 2, 3, 4],
    "box_fraction": [0.1, 0.2, 0.3, 0.4],
    "width": 10,
    "height": 10,
}
PROBE = PLACE | {"detection_score": 0.9, "quality": QUALITY}
NOBODY = {"width": 9, "height": 9, "faces": [], "notice": None}
FOUND = NOBODY | {"faces": [{"probe_face": PROBE, "candidates": [CANDIDATE]}]}


def album_of(name: str, forget_after_days: int | None = None) -> dict[str, object]:
    counts = {"photos": 3, "indexed": 2, "dead": 1, "faces": 5}
    return {"id": "1", "name": name, "created_at": "now", **counts, "forget_after_days": forget_after_days}


def test_albums(api: FakeApi, facefleet: Facefleet) -> None:
    album = album_of("people")
    api.answer("GET", "/v1/albums", {"albums": [album]})
    assert facefleet("albums", "--json").document == [album]
    assert "people" in facefleet("albums").stdout


def test_photos_have_the_agreed_fields_of_all_pages(api: FakeApi, facefleet: Facefleet) -> None:
    api.answer("GET", "/v1/albums/my album/photos", {"photos": PHOTOS[:1], "next": "p2"})
    api.answer("GET", "/v1/albums/my album/photos", {"photos": PHOTOS[1:], "next": None})
    ended = facefleet("photos", "--album", "my album", "--state", "dead", "--json")
    assert ended.status == 0
    assert ended.document == [
        {"photo": "a [bold].jpg", "state": "indexed", "reason": None, "faces": 2},
        {"photo": "ünï.jpg", "state": "dead", "reason": "photo_undecodable", "faces": None},
    ]
    assert [each.query.get("after") for each in api.asked] == [None, "p2"]
    assert {each.query["state"] for each in api.asked} == {"dead"}


def test_photo_names_are_never_markup(api: FakeApi, facefleet: Facefleet) -> None:
    api.answer("GET", "/v1/albums/a/photos", {"photos": PHOTOS, "next": None})
    assert "a [bold].jpg" in facefleet("photos", "--album", "a").stdout


def test_faces_have_the_agreed_fields(api: FakeApi, facefleet: Facefleet) -> None:
    api.answer("GET", "/v1/albums/a/faces", {"faces": [FACE], "next": None})
    expected = {key: FACE[key] for key in ("photo", "face_id", "box", "detection_score", "quality")}
    assert facefleet("faces", "--album", "a", "--json").document == [expected]
    assert "1,2 30x40" in facefleet("faces", "-a", "a").stdout


def test_search_sends_the_image_and_prints_the_agreed_fields(
    api: FakeApi, facefleet: Facefleet, tmp_path: Path
) -> None:
    (tmp_path / "probe.jpg").write_bytes(b"bytes of a photo")
    api.answer("POST", "/v1/albums/a/search", FOUND)
    ended = facefleet("search", "probe.jpg", "--album", "a", "--limit", "7", "--min-similarity", "-0.5", "--json")
    expected = {key: CANDIDATE[key] for key in ("photo", "face_id", "similarity", "similarity_percent", "box")}
    assert ended.document == [{"probe_face": {"box": [5, 6, 7, 8]}, "candidates": [expected]}]
    assert api.asked[0].body == b"bytes of a photo"
    assert api.asked[0].query == {"limit": "7", "min_similarity": "-0.5"}


def test_search_draws_a_table_for_people(api: FakeApi, facefleet: Facefleet, tmp_path: Path) -> None:
    (tmp_path / "probe.jpg").write_bytes(b"x")
    api.answer("POST", "/v1/albums/a/search", FOUND)
    out = facefleet("search", "probe.jpg", "-a", "a").stdout
    assert "Face 1 of 1 at 5,6 7x8" in out
    assert "0.700" in out


def test_search_without_a_face_is_an_empty_list(api: FakeApi, facefleet: Facefleet, tmp_path: Path) -> None:
    (tmp_path / "wall.jpg").write_bytes(b"x")
    api.answer("POST", "/v1/albums/a/search", NOBODY)
    ended = facefleet("search", "wall.jpg", "-a", "a", "--json")
    assert (ended.status, ended.document) == (0, [])
    assert ended.stderr == "No face was found in wall.jpg.\n"


@pytest.mark.parametrize("form", [["--album=a"], ["-aa"], ["-a", "a"]])
def test_album_may_be_written_in_every_usual_way(
    form: list[str], api: FakeApi, facefleet: Facefleet, tmp_path: Path
) -> None:
    (tmp_path / "p").write_bytes(b"x")
    api.answer("POST", "/v1/albums/a/search", FOUND)
    assert facefleet("search", *form, "--json", "p").status == 0


def test_search_takes_no_pipe_and_nothing_too_large(
    api: FakeApi, facefleet: Facefleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "pipe is not a file" in facefleet("search", "pipe", "-a", "a").stderr
    monkeypatch.setenv("FACEFLEET_MAX_PROBE_BYTES", "3")
    (tmp_path / "p").write_bytes(b"1234")
    ended = facefleet("search", "p", "-a", "a")
    assert (ended.status, ended.stderr) == (2, "facefleet: p has more than 3 bytes (FACEFLEET_MAX_PROBE_BYTES)\n")
    assert api.asked == []
    (tmp_path / "p").write_bytes(b"123")
    api.answer("POST", "/v1/albums/a/search", FOUND)
    assert facefleet("search", "p", "-a", "a").status == 0
    monkeypatch.setenv("FACEFLEET_MAX_PROBE_BYTES", "much")
    assert facefleet("search", "p", "-a", "a").status == 2


def test_search_tells_why_it_finds_nothing_beside_the_document(
    api: FakeApi, facefleet: Facefleet, tmp_path: Path
) -> None:
    (tmp_path / "p").write_bytes(b"x")
    nobody = {"probe_face": FOUND["faces"][0]["probe_face"], "candidates": []}
    api.answer("POST", "/v1/albums/a/search", NOBODY | {"faces": [nobody], "notice": "index it again"})
    ended = facefleet("search", "p", "-a", "a", "--json")
    assert ended.document == [{"probe_face": {"box": [5, 6, 7, 8]}, "candidates": []}]
    assert ended.stderr == "facefleet: index it again\n"


def test_delete_and_retry(api: FakeApi, facefleet: Facefleet) -> None:
    api.answer("DELETE", "/v1/albums/a", b"", 204)
    api.answer("POST", "/v1/albums/a/retry", {"retried": 4})
    assert facefleet("delete", "a").status == 0
    assert facefleet("delete", "a", "--yes").stdout == ""
    assert "4 photos" in facefleet("retry", "--album", "a").stderr


def test_rebuild(api: FakeApi, facefleet: Facefleet) -> None:
    for name in ("a", "b"):
        api.answer("POST", f"/v1/albums/{name}/rebuild", {"indexed_again": 3, "photos_removed": 0})
    api.answer("GET", "/v1/albums", {"albums": [album_of("a"), album_of("b")]})
    assert facefleet("rebuild", "--album", "a").stderr == "a: 3 photos are indexed again.\n"
    assert "b: 3 photos" in facefleet("rebuild").stderr


def test_delete_asks_on_a_terminal(api: FakeApi, facefleet: Facefleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: pytest.fail("asked"))
    api.answer("DELETE", "/v1/albums/a", b"", 204)
    with pytest.raises(pytest.fail.Exception, match="asked"):
        facefleet("delete", "a")
    assert facefleet("delete", "a", "--yes").status == 0


def refuse_search(api: FakeApi, status: int, reason: str) -> None:
    api.refuse("POST", "/v1/albums/a/search", status, reason, "a sentence of the server")


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        (404, "album_not_found", 2),
        (422, "photo_undecodable", 2),
        (413, "body_too_large", 2),
        (422, "invalid_request", 2),
        (503, "overloaded", 75),
        (503, "gallery_unavailable", 75),
        (502, "about:blank", 75),
        (500, "internal_error", 1),
    ],
)
def test_every_refusal_is_a_sentence_and_a_status(
    status: int, reason: str, expected: int, api: FakeApi, facefleet: Facefleet, tmp_path: Path
) -> None:
    (tmp_path / "p").write_bytes(b"x")
    refuse_search(api, status, reason)
    ended = facefleet("search", "p", "-a", "a", "--json")
    assert (ended.status, ended.stdout) == (expected, "")
    assert ended.stderr == "facefleet: a sentence of the server\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["search", "nothing.jpg", "-a", "a"], "there is no file nothing.jpg"),
        (["search", ".", "-a", "a"], ". is a folder; a search takes one photo"),
        (["search", "/dev/zero", "-a", "a"], "/dev/zero is not a file; a search takes one photo"),
        (["index", "nowhere", "-a", "a"], "there is no folder nowhere"),
        (["faces", "--album", "\udcff"], "'\\udcff' is not a name: it is not UTF-8"),
        (["photos", "--album", "a", "--state", "\udcff"], "'\\udcff' is not a name: it is not UTF-8"),
    ],
)
def test_wrong_place_is_named_without_asking_a_server(
    arguments: list[str], sentence: str, api: FakeApi, facefleet: Facefleet
) -> None:
    ended = facefleet(*arguments)
    assert (ended.status, ended.stdout, ended.stderr) == (2, "", f"facefleet: {sentence}\n")
    assert api.asked == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["search"],
        ["search", "p"],
        ["search", "p", "-a", "a", "--limit", "0"],
        ["search", "p", "-a", "a", "--limit", "many"],
        ["search", "p", "-a", "a", "--min-similarity", "2"],
        ["search", "p", "q", "-a", "a"],
        ["index", "-a", "a"],
        ["nonsense"],
        ["models", "pull"],
    ],
)
def test_wrong_usage_is_status_2_and_no_traceback(arguments: list[str], api: FakeApi, facefleet: Facefleet) -> None:
    ended = facefleet(*arguments)
    assert ended.status == 2
    assert "Traceback" not in ended.stderr
    assert api.asked == []


@pytest.mark.parametrize("url", ["hello", "ftp://host", "http://host:port", "http://"])
def test_bad_url_is_a_setting_to_mend(
    url: str, api: FakeApi, facefleet: Facefleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert api.url
    monkeypatch.setenv("FACEFLEET_SERVER", url)
    ended = facefleet("albums")
    assert ended.status == 2
    assert "is not the URL of a server" in ended.stderr


def test_server_that_is_down_may_come_back(api: FakeApi, facefleet: Facefleet, monkeypatch: pytest.MonkeyPatch) -> None:
    assert api.url
    monkeypatch.setenv("FACEFLEET_SERVER", f"http://127.0.0.1:{free_port()}")
    ended = facefleet("albums")
    assert ended.status == 75
    assert "no answer from the server" in ended.stderr


def test_something_else_than_facefleet_is_noticed(api: FakeApi, facefleet: Facefleet) -> None:
    api.answer("GET", "/v1/albums", b"<html>hello</html>")
    ended = facefleet("albums", "--json")
    assert (ended.status, ended.stdout) == (1, "")
    assert "is not JSON" in ended.stderr


def test_surprise_shows_its_traceback_only_when_asked(
    api: FakeApi, facefleet: Facefleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.answer("GET", "/v1/albums", {"not": "what was agreed"})
    assert "Traceback" not in facefleet("albums").stderr
    monkeypatch.setenv("FACEFLEET_LOG_LEVEL", "debug")
    ended = facefleet("albums")
    assert "Traceback" in ended.stderr
    assert ended.status == 1


def test_server_may_live_below_a_path(api: FakeApi, facefleet: Facefleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEFLEET_SERVER", f"{api.url}/faces/")
    api.answer("GET", "/faces/v1/albums", {"albums": []})
    assert facefleet("albums", "--json").document == []


def test_retention_is_set_taken_back_and_shown(api: FakeApi, facefleet: Facefleet) -> None:
    api.answer("PATCH", "/v1/albums/a", album_of("a", 90))
    api.answer("PATCH", "/v1/albums/a", album_of("a"))
    api.answer("GET", "/v1/albums/a", album_of("a"))
    assert facefleet("retention", "-a", "a", "--days", "90").stdout == "a is deleted after 90 days without a search.\n"
    assert facefleet("retention", "-a", "a", "--never").stdout == "a is kept.\n"
    assert facefleet("retention", "-a", "a").stdout == "a is kept.\n"
    assert [each.body for each in api.asked] == [b'{"forget_after_days": 90}', b'{"forget_after_days": null}', b""]
    assert facefleet("retention", "-a", "a", "--never", "--days", "1").status == 2
    assert facefleet("retention", "-a", "a", "--days", "0").status == 2
