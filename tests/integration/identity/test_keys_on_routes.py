"""Keys on native routes: who is let in, who is not, and what the refusal says."""

from uuid import uuid4

import pytest

from facefleet.identity.api_key import draw_key
from facefleet.identity.caller import Scope
from tests.fixtures.processes import wait_until
from tests.integration.identity.conftest import Guarded

PROBE = {"content": b"people 1", "headers": {"content-type": "image/jpeg"}}


@pytest.mark.parametrize("how", ["X-Api-Key", "Authorization"])
def test_a_key_opens_the_server_by_either_header(guarded: Guarded, how: str) -> None:
    text = guarded.key().text
    shown = {how: text if how == "X-Api-Key" else f"Bearer {text}"}
    assert guarded.http.post("/v1/albums", json={"name": "a"}, headers=shown).status_code == 201
    assert [each["name"] for each in guarded.http.get("/v1/albums", headers=shown).json()["albums"]] == ["a"]


def test_a_request_without_a_key_is_told_what_to_do(guarded: Guarded) -> None:
    refused = guarded.http.get("/v1/albums")
    assert (refused.status_code, refused.json()["type"]) == (401, "not_authenticated")
    assert refused.headers["www-authenticate"] == "Bearer"
    assert refused.headers["content-type"] == "application/problem+json"
    assert "facefleet keys create" in refused.json()["detail"]


def test_keys_that_do_not_count_are_all_refused_alike(guarded: Guarded) -> None:
    good, revoked, expired = guarded.key(), guarded.key(), guarded.key(expires_in_s=-1)
    guarded.services.ledger.keys.revoke(revoked.id)
    other_secret = f"{good.id}_{'0' * 64}"
    texts = [draw_key().text, revoked.text, expired.text, other_secret, good.id, "nonsense", "é"]
    answers = [guarded.http.get("/v1/albums", headers={"X-Api-Key": text.encode()}) for text in texts]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.json()["detail"] for answer in answers}) == 1
    assert guarded.ask("GET", "/v1/albums", good).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "needed"),
    [
        ("GET", "/v1/albums", {}, "read"),
        ("POST", "/v1/albums/people/search", PROBE, "read"),
        ("POST", "/v1/albums", {"json": {"name": "new"}}, "index"),
        ("POST", "/v1/albums/people/photos?name=a.jpg", PROBE, "index"),
        ("POST", "/v1/albums/people/rebuild", {}, "admin"),
        ("GET", "/v1/ingest/dead", {}, "admin"),
        ("DELETE", "/v1/albums/people", {}, "admin"),
    ],
)
def test_a_scope_opens_its_routes_and_no_others(
    guarded: Guarded, method: str, path: str, body: dict[str, object], needed: str
) -> None:
    guarded.services.ledger.albums.create("people")
    answers = {scope: guarded.ask(method, path, guarded.key(scope), **body) for scope in Scope}
    refused = {scope for scope, answer in answers.items() if answer.status_code == 403}
    assert refused == set(Scope) - {Scope.ADMIN, Scope(needed)}
    for scope in refused:
        problem = answers[scope].json()
        assert (problem["type"], problem["detail"].endswith(f"the scope {needed}")) == ("not_permitted", True)


def test_tenants_have_albums_of_the_same_name_and_see_their_own(guarded: Guarded) -> None:
    one, two = guarded.key(tenant="one"), guarded.key(tenant="two")
    ids = {guarded.ask("POST", "/v1/albums", key, json={"name": "people"}).json()["id"] for key in (one, two)}
    assert len(ids) == 2
    assert guarded.ask("DELETE", "/v1/albums/people", one).status_code == 204
    assert guarded.ask("GET", "/v1/albums/people", one).status_code == 404
    assert guarded.ask("GET", "/v1/albums/people", two).status_code == 200


def test_a_key_of_some_albums_sees_and_makes_no_others(guarded: Guarded) -> None:
    whole, limited = guarded.key(), guarded.key(albums=("mine", "later"))
    for name in ("mine", "other"):
        guarded.ask("POST", "/v1/albums", whole, json={"name": name})
    listed = guarded.ask("GET", "/v1/albums", limited).json()["albums"]
    assert [each["name"] for each in listed] == ["mine"]
    assert guarded.ask("GET", "/v1/albums/other", limited).json()["type"] == "album_not_found"
    assert guarded.ask("POST", "/v1/albums", limited, json={"name": "third"}).json()["type"] == "not_permitted"
    assert guarded.ask("POST", "/v1/albums", limited, json={"name": "later"}).status_code == 201
    assert guarded.ask("GET", "/v1/callbacks/dead", limited).json()["type"] == "not_permitted"


def test_jobs_of_others_do_not_exist(guarded: Guarded) -> None:
    mine, theirs = guarded.key(), guarded.key(tenant="two")
    elsewhere = guarded.key(albums=("elsewhere",))
    guarded.ask("POST", "/v1/albums", mine, json={"name": "people"})
    job = guarded.ask("POST", "/v1/albums/people/photos?name=a.jpg", mine, **PROBE).json()["job_id"]
    for path in (f"/v1/jobs/{job}", f"/v1/jobs/{job}/events"):
        for key in (theirs, elsewhere):
            assert guarded.ask("GET", path, key).json()["type"] == "job_not_found"
    assert guarded.ask("GET", f"/v1/jobs/{job}", mine).status_code == 200


def test_photos_of_others_are_like_photos_that_never_were(guarded: Guarded) -> None:
    mine, theirs, elsewhere = guarded.key(), guarded.key(tenant="two"), guarded.key(albums=("elsewhere",))
    guarded.ask("POST", "/v1/albums", mine, json={"name": "people"})
    guarded.ask("POST", "/v1/albums/people/photos?name=a.jpg", mine, **PROBE)
    [photo] = guarded.ask("GET", "/v1/albums/people/photos", mine).json()["photos"]
    for route in ("/v1/photos/{}/people", "/v1/photos/{}/predictions", "/predictions/{}"):
        never = guarded.ask("GET", route.format(uuid4()), mine)
        assert never.json()["type"] == "photo_not_found"
        for key in (theirs, elsewhere):
            foreign = guarded.ask("GET", route.format(photo["photo_id"]), key)
            assert foreign.json() == never.json() | {"instance": foreign.request.url.path}
    assert guarded.ask("GET", f"/v1/photos/{photo['photo_id']}/predictions", mine).json()["state"] == "indexing"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/health", "/metrics", "/docs", "/openapi.json"])
def test_probes_metrics_and_the_description_need_no_key(guarded: Guarded, path: str) -> None:
    assert guarded.http.get(path).status_code == 200


def test_the_last_use_of_a_key_is_known(guarded: Guarded) -> None:
    key = guarded.key()
    guarded.ask("GET", "/v1/albums", key)
    # It is written after the answer.
    wait_until(lambda: guarded.services.ledger.keys.list()[0].last_used_at is not None, "the use is noted")
