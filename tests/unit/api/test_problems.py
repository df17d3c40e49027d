"""Whatever is wrong with a request, the answer is a problem that says so, and never a 500."""

from uuid import uuid4

import httpx
import pytest

from api.error_responses import status_of
from facefleet import errors
from facefleet.errors import FacefleetError, GalleryUnavailable, LedgerUnavailable
from tests.unit.api.conftest import Api

JPEG = {"content-type": "image/jpeg"}
JSON = {"content-type": "application/json"}


def assert_problem(response: httpx.Response, status: int, type_: str, *words: str) -> None:
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    assert (response.status_code, problem["status"], problem["type"]) == (status, status, type_), problem
    assert problem["instance"] == response.request.url.path
    assert problem["title"]
    for word in words:
        assert word in problem["detail"]


BAD_REQUESTS = {
    "no such album": ("GET", "/v1/albums/nobody", {}, 404, "album_not_found", "nobody"),
    "album in another route": ("POST", "/v1/albums/nobody/retry", {}, 404, "album_not_found", "nobody"),
    "album name with a slash": ("POST", "/v1/albums", {"json": {"name": "a/b"}}, 422, "invalid_request", "slash"),
    "album name of dots": ("POST", "/v1/albums", {"json": {"name": ".."}}, 422, "invalid_request", "name"),
    "empty album name": ("POST", "/v1/albums", {"json": {"name": ""}}, 422, "invalid_request", "name"),
    "blank album name": ("POST", "/v1/albums", {"json": {"name": "  "}}, 422, "invalid_request", "name"),
    "album name too long": ("POST", "/v1/albums", {"json": {"name": "x" * 256}}, 422, "invalid_request", "255"),
    "album name with NUL": ("POST", "/v1/albums", {"json": {"name": "a\0"}}, 422, "invalid_request", "printable"),
    "NUL in the path": ("GET", "/v1/albums/a%00b", {}, 422, "invalid_request", "printable"),
    "half a surrogate": (
        "POST",
        "/v1/albums",
        {"content": b'{"name": "\\ud800"}', "headers": JSON},
        422,
        "invalid_request",
        "name",
    ),
    "album name is a number": ("POST", "/v1/albums", {"json": {"name": 7}}, 422, "invalid_request", "name"),
    "field that does not exist": ("POST", "/v1/albums", {"json": {"name": "a", "x": 1}}, 422, "invalid_request", "x"),
    "no name": ("POST", "/v1/albums", {"json": {}}, 422, "invalid_request", "body.name"),
    "not an object": ("POST", "/v1/albums", {"json": []}, 422, "invalid_request", "body"),
    "broken JSON": ("POST", "/v1/albums", {"content": b"{", "headers": JSON}, 422, "invalid_request", "JSON"),
    "JSON that is not UTF-8": ("POST", "/v1/albums", {"content": b'"\xff"', "headers": JSON}, 400, "invalid_request"),
    "empty JSON body": ("POST", "/v1/albums", {"headers": JSON}, 422, "invalid_request", "body"),
    "form instead of JSON": ("POST", "/v1/albums", {"data": {"name": "a"}}, 415, "unsupported_media_type", "json"),
    "JSON body too large": (
        "POST",
        "/v1/albums",
        {"content": b'{"name": "' + b"a" * 100_000 + b'"}', "headers": JSON},
        413,
        "body_too_large",
        "65,536",
    ),
    "no such state": ("GET", "/v1/albums/people/photos?state=lost", {}, 422, "invalid_request", "state", "indexed"),
    "negative limit": ("GET", "/v1/albums/people/photos?limit=-1", {}, 422, "invalid_request", "limit"),
    "limit of words": ("GET", "/v1/albums/people/faces?limit=all", {}, 422, "invalid_request", "limit"),
    "limit too large": ("GET", "/v1/albums/people/faces?limit=1001", {}, 422, "invalid_request", "1000"),
    "cursor of another world": ("GET", "/v1/albums/people/photos?after=x", {}, 422, "invalid_request", "after"),
    "cursor of faces": ("GET", "/v1/albums/people/faces?after=x", {}, 422, "invalid_request", "after"),
    "job id is no UUID": ("GET", "/v1/jobs/7", {}, 422, "invalid_request", "job"),
    "no such job": ("GET", f"/v1/jobs/{uuid4()}", {}, 404, "job_not_found"),
    "no such job to follow": ("GET", f"/v1/jobs/{uuid4()}/events", {}, 404, "job_not_found"),
    "empty source": ("POST", "/v1/albums/people/index", {"json": {"source": ""}}, 422, "invalid_request", "source"),
    "unknown scheme": ("POST", "/v1/albums/people/index", {"json": {"source": "ftp://x/y"}}, 422, "invalid_request"),
    "no such path": ("GET", "/v2/albums", {}, 404, "not_found"),
    "no such method": ("PUT", "/v1/albums", {}, 405, "method_not_allowed"),
    "empty probe": ("POST", "/v1/albums/people/search", {"headers": JPEG}, 422, "invalid_request", "empty"),
    "empty probe without a type": ("POST", "/v1/detect", {}, 422, "invalid_request", "empty"),
    "probe that is text": (
        "POST",
        "/v1/albums/people/search",
        {"content": b"hello", "headers": {"content-type": "text/plain"}},
        415,
        "unsupported_media_type",
        "text/plain",
    ),
    "probe that curl calls a form": (
        "POST",
        "/v1/detect",
        {"content": b"F", "headers": {"content-type": "application/x-www-form-urlencoded"}},
        415,
        "unsupported_media_type",
        "image/jpeg",
    ),
    "probe of no type": ("POST", "/v1/detect", {"content": b"F"}, 415, "unsupported_media_type"),
    "probe that is no photo": (
        "POST",
        "/v1/detect",
        {"content": b"bad", "headers": JPEG},
        422,
        "photo_undecodable",
        "not a photo",
    ),
    "form without the image": ("POST", "/v1/detect", {"files": {"x": b"F"}}, 422, "invalid_request", "'image'"),
    "form with text as image": (
        "POST",
        "/v1/detect",
        {"files": {"other": b"F"}, "data": {"image": "F"}},
        422,
        "invalid_request",
        "'image'",
    ),
    "form with an empty image": ("POST", "/v1/detect", {"files": {"image": b""}}, 422, "invalid_request", "empty"),
    "form with two images": (
        "POST",
        "/v1/detect",
        {"files": [("image", b"F"), ("image", b"F")]},
        400,
        "invalid_request",
        "Maximum number of files is 1",
    ),
    "form without boundary": (
        "POST",
        "/v1/detect",
        {"content": b"F", "headers": {"content-type": "multipart/form-data"}},
        400,
        "invalid_request",
        "boundary",
    ),
    "broken form": (
        "POST",
        "/v1/detect",
        {"content": b"F", "headers": {"content-type": "multipart/form-data; boundary=x"}},
        400,
        "invalid_request",
    ),
    "search limit of none": (
        "POST",
        "/v1/albums/people/search?limit=0",
        {"content": b"F", "headers": JPEG},
        422,
        "invalid_request",
        "limit",
    ),
    "similarity above 1": (
        "POST",
        "/v1/albums/people/search?min_similarity=1.1",
        {"content": b"F", "headers": JPEG},
        422,
        "invalid_request",
        "min_similarity",
    ),
    "similarity that is no number": (
        "POST",
        "/v1/albums/people/search?min_similarity=nan",
        {"content": b"F", "headers": JPEG},
        422,
        "invalid_request",
        "min_similarity",
    ),
    "photo without a name": (
        "POST",
        "/v1/albums/people/photos",
        {"content": b"F", "headers": JPEG},
        422,
        "invalid_request",
        "?name=",
    ),
    "empty photo": ("POST", "/v1/albums/people/photos?name=a.jpg", {"headers": JPEG}, 422, "invalid_request", "empty"),
    "photo of text": (
        "POST",
        "/v1/albums/people/photos?name=a.jpg",
        {"content": b"F", "headers": {"content-type": "text/plain"}},
        415,
        "unsupported_media_type",
    ),
    "form without photos": (
        "POST",
        "/v1/albums/people/photos",
        {"files": {"x": (None, "text")}},
        422,
        "invalid_request",
        "'files'",
    ),
}


@pytest.mark.parametrize("case", BAD_REQUESTS)
def test_a_bad_request_is_a_clear_problem(api: Api, case: str) -> None:
    method, path, request, status, type_, *words = BAD_REQUESTS[case]
    assert_problem(api.ask(method, path, **request), status, type_, *words)


def test_a_validation_problem_lists_every_fault(api: Api) -> None:
    problem = api.ask("GET", "/v1/albums/people/photos?limit=0&state=lost").json()
    assert {error["where"] for error in problem["errors"]} == {"query.limit", "query.state"}
    assert all(error["message"] in problem["detail"] for error in problem["errors"])


def test_an_existing_album_is_a_conflict(api: Api) -> None:
    assert_problem(api.ask("POST", "/v1/albums", json={"name": "people"}), 409, "album_exists", "people")


@pytest.mark.parametrize("error", [GalleryUnavailable("Qdrant is away."), LedgerUnavailable("PostgreSQL is away.")])
def test_a_dependency_that_is_down_is_503_with_retry_after(api: Api, error: FacefleetError) -> None:
    api.gallery.down = error
    response = api.ask("POST", "/v1/albums/people/search", content=b"F", headers=JPEG)
    assert_problem(response, 503, error.reason, "away")
    assert int(response.headers["retry-after"]) > 0


def test_an_unforeseen_error_is_a_500_that_tells_nothing(api: Api) -> None:
    api.gallery.down = RuntimeError("secret of the house")
    response = api.ask("POST", "/v1/albums/people/search", content=b"F", headers=JPEG)
    assert_problem(response, 500, "internal_error")
    assert "secret" not in response.text
    assert "Traceback" not in response.text


def test_every_error_of_the_tree_has_a_status() -> None:
    def leaves(cls: type[FacefleetError]) -> list[type[FacefleetError]]:
        return [cls, *(leaf for child in cls.__subclasses__() for leaf in leaves(child))]

    statuses = {cls: status_of(cls.__new__(cls)) for cls in leaves(FacefleetError)}
    assert statuses.pop(errors.RateLimited) == 429
    assert all(statuses[cls] == 503 for cls in leaves(errors.TransientError) if cls in statuses)
    assert all(400 <= statuses[cls] < 500 for cls in leaves(errors.PermanentError) + leaves(errors.RequestError))
