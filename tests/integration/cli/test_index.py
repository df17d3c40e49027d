"""`index` against a server that answers from a table."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import cli.index_run
from tests.integration.cli.conftest import Ended, FakeApi
from tests.integration.cli.test_commands import album_of

Facefleet = Callable[..., Ended]


def job(state: str, job_id: str = "j1", **counts: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    zeros = {"photos": 0, "indexed": 0, "dead": 0, "waiting": 0, "faces": 0, "seconds": 0.0}
    rate = {"photos_per_second": 0.0, "seconds_left": None}
    said = {"job_id": job_id, "album": "a", "source": "s3://b/p", "state": state, "detail": None}
    return said | zeros | rate | counts


@pytest.fixture
def accepting(api: FakeApi) -> FakeApi:
    """A server that begins job j1 for any source."""
    api.answer("POST", "/v1/albums", album_of("a"), 201)
    api.answer("POST", "/v1/albums/a/index", {"job_id": "j1", "album": "a", "source": "s3://b/p"}, 202)
    return api


def test_json_is_one_object_with_the_agreed_fields(accepting: FakeApi, facefleet: Facefleet) -> None:
    accepting.answer("GET", "/v1/jobs/j1", job("listing"))
    accepting.answer("GET", "/v1/jobs/j1", job("running", photos=4, waiting=3, indexed=1))
    accepting.answer("GET", "/v1/jobs/j1", job("done", photos=4, indexed=4, faces=6, seconds=2.0))
    ended = facefleet("index", "s3://b/p", "--album", "a", "--json")
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.document == {
        "album": "a",
        "job_id": "j1",
        "photos": 4,
        "indexed": 4,
        "dead": 0,
        "faces": 6,
        "seconds": 2.0,
        "photos_per_second": 2.0,
    }
    assert json.loads(accepting.asked[0].body) == {"name": "a"}
    assert json.loads(accepting.asked[1].body) == {"source": "s3://b/p"}


def test_album_that_exists_is_used(api: FakeApi, facefleet: Facefleet) -> None:
    api.refuse("POST", "/v1/albums", 409, "album_exists", "there is one")
    api.answer("POST", "/v1/albums/a/index", {"job_id": "j1"}, 202)
    api.answer("GET", "/v1/jobs/j1", job("done"))
    assert facefleet("index", "s3://b/p", "-a", "a", "--json").status == 0


def test_dead_photos_are_told_and_are_status_3(accepting: FakeApi, facefleet: Facefleet) -> None:
    accepting.answer("GET", "/v1/jobs/j1", job("done", photos=20, indexed=8, dead=12, seconds=4.0))
    dead = [
        {"photo_id": "p", "photo": f"{n}.jpg", "state": "dead", "reason": "x", "detail": "cut off", "faces": None}
        for n in range(12)
    ]
    accepting.answer("GET", "/v1/albums/a/photos", {"photos": dead, "next": None})
    ended = facefleet("index", "s3://b/p", "-a", "a")
    assert ended.status == 3
    assert "8 of 20 photos indexed" in ended.stdout
    assert "9.jpg: cut off" in ended.stdout
    assert "10.jpg" not in ended.stdout
    assert "--state dead shows them all" in ended.stdout


def test_source_that_cannot_be_listed_is_status_2(accepting: FakeApi, facefleet: Facefleet) -> None:
    accepting.answer("GET", "/v1/jobs/j1", job("failed") | {"detail": "no such bucket"})
    ended = facefleet("index", "s3://b/p", "-a", "a", "--json")
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.stderr == "facefleet: s3://b/p cannot be indexed: no such bucket\n"


def test_album_that_is_deleted_meanwhile_is_status_2(accepting: FakeApi, facefleet: Facefleet) -> None:
    accepting.answer("GET", "/v1/jobs/j1", job("running", photos=2, waiting=2))
    accepting.refuse("GET", "/v1/jobs/j1", 404, "job_not_found", "there is no such job (any more)")
    ended = facefleet("index", "s3://b/p", "-a", "a", "--json")
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.stderr == "facefleet: the album was deleted before all of its photos were indexed\n"


def test_server_without_a_fleet_is_status_2(api: FakeApi, facefleet: Facefleet) -> None:
    api.answer("POST", "/v1/albums", album_of("a"), 201)
    api.refuse("POST", "/v1/albums/a/index", 409, "no_fleet", "no worker would ever index this")
    ended = facefleet("index", "s3://b/p", "-a", "a")
    assert (ended.status, ended.stderr) == (2, "facefleet: no worker would ever index this\n")


def test_no_wait_says_where_to_look(accepting: FakeApi, facefleet: Facefleet) -> None:
    accepting.answer("GET", "/v1/jobs/j1", job("listing"))
    ended = facefleet("index", "s3://b/p", "-a", "a", "--no-wait")
    assert (ended.status, ended.stdout) == (0, "")
    assert "facefleet albums" in ended.stderr
    assert facefleet("index", "s3://b/p", "-a", "a", "--no-wait", "--json").document["job_id"] == "j1"


def test_server_that_is_restarted_is_followed_again(
    accepting: FakeApi, facefleet: Facefleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli.index_run, "_LOOK_AGAIN_S", 0.01)
    accepting.answer("GET", "/v1/jobs/j1", job("running", photos=1, waiting=1))
    accepting.refuse("GET", "/v1/jobs/j1", 503, "ledger_unavailable", "the database is away")
    accepting.answer("GET", "/v1/jobs/j1", job("done", photos=1, indexed=1))
    ended = facefleet("index", "s3://b/p", "-a", "a", "--json")
    assert ended.document["indexed"] == 1
    assert [each.path for each in accepting.asked].count("/v1/albums/a/index") == 1


def test_server_that_stays_away_is_given_up(
    accepting: FakeApi, facefleet: Facefleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli.index_run, "_LOOK_AGAIN_S", 0.01)
    monkeypatch.setattr(cli.index_run, "_PATIENCE_S", 0.05)
    accepting.refuse("GET", "/v1/jobs/j1", 503, "ledger_unavailable", "the database is away")
    ended = facefleet("index", "s3://b/p", "-a", "a", "--json")
    assert (ended.status, ended.stdout, ended.stderr) == (75, "", "facefleet: the database is away\n")


@pytest.fixture
def uploading(api: FakeApi) -> FakeApi:
    """A server that takes photos in but reads no folders."""
    api.answer("POST", "/v1/albums", album_of("a"), 201)
    api.refuse("POST", "/v1/albums/a/index", 403, "folder_sources_off", "no folders here")
    return api


def test_folder_is_sent_to_a_server_that_does_not_read_it(
    uploading: FakeApi, facefleet: Facefleet, tmp_path: Path
) -> None:
    folder = tmp_path / "album"
    (folder / "sub").mkdir(parents=True)
    (folder / "one.jpg").write_bytes(b"first photo")
    (folder / "sub" / "two.jpg").write_bytes(b"second photo")
    (folder / "broken.jpg").symlink_to("nowhere")
    uploading.answer("POST", "/v1/albums/a/photos", {"job_id": "j1", "photos": []}, 202)
    uploading.answer("GET", "/v1/jobs/j1", job("done", photos=2, indexed=2, seconds=1.0))
    ended = facefleet("index", str(folder), "-a", "a")
    assert ended.status == 3
    assert "2 of 3 photos indexed" in ended.stdout
    assert "1 could not be sent, and are not in the album's list:\n  broken.jpg: " in ended.stdout
    assert "could not be indexed" not in ended.stdout
    sent = next(each for each in uploading.asked if each.path == "/v1/albums/a/photos" and each.method == "POST")
    assert b"\r\n\r\nsub/two.jpg\r\n" in sent.body
    assert sent.query == {"source": folder.as_uri()}
    assert b"first photo" in sent.body


def test_photo_that_is_refused_does_not_keep_the_others(
    uploading: FakeApi, facefleet: Facefleet, tmp_path: Path
) -> None:
    folder = tmp_path / "album"
    folder.mkdir()
    for name in ("1.jpg", "2.jpg"):
        (folder / name).write_bytes(b"x")
    uploading.refuse("POST", "/v1/albums/a/photos", 413, "photo_too_large", "too large")
    uploading.refuse("POST", "/v1/albums/a/photos", 413, "photo_too_large", "1.jpg is too large")
    uploading.answer("POST", "/v1/albums/a/photos", {"job_id": "j2", "photos": []}, 202)
    uploading.answer("GET", "/v1/jobs/j2", job("done", "j2", photos=1, indexed=1))
    ended = facefleet("index", str(folder), "-a", "a", "--json")
    assert ended.status == 3
    assert (ended.document["photos"], ended.document["indexed"], ended.document["dead"]) == (2, 1, 1)


def test_request_that_the_server_cannot_read_costs_its_photos_only(
    uploading: FakeApi, facefleet: Facefleet, tmp_path: Path
) -> None:
    folder = tmp_path / "album"
    folder.mkdir()
    for name in ("1.jpg", "2.jpg"):
        (folder / name).write_bytes(b"x")
    uploading.refuse("POST", "/v1/albums/a/photos", 400, "invalid_request", "too many files")
    uploading.refuse("POST", "/v1/albums/a/photos", 400, "invalid_request", "a name like no other")
    uploading.answer("POST", "/v1/albums/a/photos", {"job_id": "j2", "photos": []}, 202)
    uploading.answer("GET", "/v1/jobs/j2", job("done", "j2", photos=1, indexed=1))
    ended = facefleet("index", str(folder), "-a", "a")
    assert ended.status == 3
    assert "1.jpg: a name like no other" in ended.stdout


def test_empty_folder_is_a_result(uploading: FakeApi, facefleet: Facefleet, tmp_path: Path) -> None:
    (tmp_path / "album").mkdir()
    ended = facefleet("index", str(tmp_path / "album"), "-a", "a", "--json")
    assert (ended.status, ended.document["photos"], ended.document["job_id"]) == (0, 0, None)
    assert uploading.asked
