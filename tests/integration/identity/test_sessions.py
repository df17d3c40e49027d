"""Browsers that sign in with a key: the cookie stands for the key, in no script's hands, and ends with it."""

import httpx
import pytest

from api.credentials import SESSION_COOKIE
from facefleet.identity.caller import Scope
from tests.integration.identity.conftest import Guarded


def sign_in(guarded: Guarded, **shown: str) -> httpx.Response:
    return guarded.http.post("/v1/session", headers=shown)


def origin(guarded: Guarded) -> dict[str, str]:
    return {"Origin": str(guarded.http.base_url).rstrip("/")}


def test_a_browser_signs_in_works_and_signs_out(guarded: Guarded) -> None:
    key = guarded.key(Scope.INDEX, Scope.READ)
    answer = sign_in(guarded, authorization=f"Bearer {key.text}")
    assert answer.json() == {
        "keys": True,
        "tenant": "default",
        "scopes": ["read", "index"],
        "albums": None,
        "key_id": key.id,
    }
    cookie = answer.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/", "max-age=43200"))
    assert key.text not in answer.headers["set-cookie"]
    assert guarded.http.get("/v1/session").json()["key_id"] == key.id
    assert guarded.http.post("/v1/albums", json={"name": "mine"}, headers=origin(guarded)).status_code == 201
    assert guarded.http.delete("/v1/albums/mine", headers=origin(guarded)).status_code == 403
    assert guarded.http.delete("/v1/session").status_code == 204
    assert guarded.http.get("/v1/session").status_code == 401


def test_writes_with_a_cookie_alone_come_from_pages_of_this_server_only(guarded: Guarded) -> None:
    sign_in(guarded, **{"x-api-key": guarded.key().text})
    answers = [
        guarded.http.post("/v1/albums", json={"name": "mine"}, headers=headers)
        for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"})
    ]
    assert [answer.status_code for answer in answers] == [401, 403, 403]
    assert guarded.http.get("/v1/albums").json() == {"albums": []}


def test_a_cookie_ends_with_its_key(guarded: Guarded) -> None:
    key = guarded.key()
    sign_in(guarded, **{"x-api-key": key.text})
    assert guarded.http.get("/v1/albums").status_code == 200
    guarded.services.ledger.keys.revoke(key.id)
    assert guarded.http.get("/v1/albums").status_code == 401


def test_a_cookie_does_not_prolong_itself(guarded: Guarded) -> None:
    sign_in(guarded, **{"x-api-key": guarded.key().text})
    assert guarded.http.post("/v1/session", headers=origin(guarded)).status_code == 401


@pytest.mark.parametrize("what", ["key", "end", "signature", "nothing"])
def test_a_forged_cookie_opens_nothing(guarded: Guarded, what: str) -> None:
    key, other = guarded.key(Scope.READ), guarded.key()
    sign_in(guarded, **{"x-api-key": key.text})
    key_id, end, signature = guarded.http.cookies[SESSION_COOKIE].split(".")
    guarded.http.cookies.clear()
    forged = {
        "key": f"{other.id}.{end}.{signature}",
        "end": f"{key_id}.{int(end) + 1}.{signature}",
        "signature": f"{key_id}.{end}.{signature[::-1]}",
        "nothing": "",
    }[what]
    assert guarded.http.get("/v1/albums", headers={"cookie": f"{SESSION_COOKIE}={forged}"}).status_code == 401


def test_the_key_of_a_process_begins_no_session(guarded: Guarded) -> None:
    assert sign_in(guarded, **{"x-api-key": guarded.services.own_key}).status_code == 401
    assert (
        guarded.http.get("/v1/session", headers={"x-api-key": guarded.services.own_key}).json()["key_id"] == "operator"
    )
