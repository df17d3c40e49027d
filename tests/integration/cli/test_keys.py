"""`facefleet keys`, and servers that do not start without them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cli.client import ApiClient
from cli.data_directory import hold_data_directory
from cli.embedded import serve_embedded
from cli.needs import Needs
from facefleet.errors import NotAuthenticated
from facefleet.identity.api_key import id_of_key
from tests.fixtures.keys import MASTER_SECRET
from tests.integration.cli.conftest import Ended, FakeApi, isolate

Facefleet = Callable[..., Ended]


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    isolate(monkeypatch, tmp_path)
    monkeypatch.setenv("FACEFLEET_MASTER_SECRET", MASTER_SECRET)
    return tmp_path


def test_a_key_is_made_shown_once_listed_replaced_and_ended(facefleet: Facefleet, place: Path) -> None:
    arguments = ("the shop", "--scope", "read", "--album", "wedding", "--tenant", "acme", "--expires", "90d")
    made = facefleet("keys", "create", *arguments, "--json").document
    assert id_of_key(made["key"]) == made["id"] == made["aws_access_key_id"]
    assert (made["scopes"], made["albums"], made["tenant"]) == (["read"], ["wedding"], "acme")
    assert len(made["aws_secret_access_key"]) == 40
    assert (place / "data").stat().st_mode & 0o077 == 0

    listed = facefleet("keys", "list")
    assert made["id"] in listed.stdout
    assert "wedding" in listed.stdout
    assert made["key"] not in listed.stdout
    assert made["aws_secret_access_key"] not in listed.stdout

    follows = facefleet("keys", "rotate", made["id"], "--overlap", "0m", "--json").document
    assert follows["id"] != made["id"]
    assert facefleet("keys", "revoke", follows["id"]).status == 0
    states = {each["id"]: each["state"] for each in facefleet("keys", "list", "--tenant", "acme", "--json").document}
    assert states == {made["id"]: "expired", follows["id"]: "revoked"}
    assert facefleet("keys", "list", "--tenant", "other", "--json").document == []


def test_a_key_reads_and_indexes_unless_told_otherwise(facefleet: Facefleet) -> None:
    made = facefleet("keys", "create")
    assert made.stdout.splitlines()[0].startswith("FACEFLEET_API_KEY=FFK")
    assert "AWS_SECRET_ACCESS_KEY=" in made.stdout
    (key,) = facefleet("keys", "list", "--json").document
    assert (key["scopes"], key["albums"], key["expires_at"]) == (["index", "read"], None, None)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("create", "--expires", "soon"), "90d, 12h or 30m"),
        (("create", "--expires", "9999999d"), "90d, 12h or 30m"),
        (("create", "--tenant", "a b"), "tenant's name"),
        (("create", "--album", "a/b"), "an album's name"),
        (("revoke", "FFKNONE"), "there is no key FFKNONE"),
        (("rotate", "FFKNONE"), "there is no key FFKNONE"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(
    facefleet: Facefleet, arguments: tuple[str, ...], sentence: str
) -> None:
    ended = facefleet("keys", *arguments)
    assert ended.status == 2
    assert sentence in ended.stderr
    assert ended.stdout == ""


def test_without_a_master_secret_there_are_no_keys(facefleet: Facefleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FACEFLEET_MASTER_SECRET")
    ended = facefleet("keys", "create")
    assert ended.status == 2
    assert "FACEFLEET_MASTER_SECRET=" in ended.stderr


def test_a_short_master_secret_is_refused_and_not_shown(facefleet: Facefleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEFLEET_MASTER_SECRET", "hunter2")
    ended = facefleet("keys", "list")
    assert ended.status == 2
    assert "FACEFLEET_MASTER_SECRET" in ended.stderr
    assert "hunter2" not in ended.stderr


def test_keys_are_not_made_over_the_network(facefleet: Facefleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEFLEET_SERVER", "http://faces.example")
    ended = facefleet("keys", "create")
    assert ended.status == 2
    assert "where the ledger is" in ended.stderr


@pytest.mark.parametrize(
    ("command", "setting"),
    [
        (("up", "--host", "0.0.0.0"), {}),
        (("api", "--host", "0.0.0.0"), {}),
        (("api",), {"BROKER_URL": "redis://127.0.0.1:1/0"}),
        (("api",), {"LEDGER_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none"}),
    ],
)
def test_nothing_listens_for_others_without_keys(
    facefleet: Facefleet, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], setting: dict[str, str]
) -> None:
    monkeypatch.delenv("FACEFLEET_MASTER_SECRET")
    for name, value in setting.items():
        monkeypatch.setenv(f"FACEFLEET_{name}", value)
    ended = facefleet(*command, "--port", "0")
    assert ended.status == 2
    assert "asks for API keys" in ended.stderr
    assert "facefleet keys create" in ended.stderr


def test_the_key_of_the_settings_is_shown_to_the_server(
    api: FakeApi, facefleet: Facefleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEFLEET_API_KEY", "FFKMINE_1")
    api.answer("GET", "/v1/albums", {"albums": []})
    assert facefleet("albums").status == 0
    assert [asked.key for asked in api.asked] == ["FFKMINE_1"]
    monkeypatch.setenv("FACEFLEET_API_KEY", "two\nlines")
    refused = facefleet("albums")
    assert (refused.status, "FACEFLEET_API_KEY" in refused.stderr) == (2, True)


def test_a_refused_key_is_explained(api: FakeApi, facefleet: Facefleet) -> None:
    api.refuse("GET", "/v1/albums", 401, "not_authenticated", "show an API key")
    api.refuse("GET", "/v1/albums", 429, "rate_limited", "come back later")
    assert facefleet("albums").stderr == "facefleet: show an API key\n"
    later = facefleet("albums")
    assert (later.status, later.stderr) == (75, "facefleet: come back later\n")


def test_a_command_without_a_server_is_its_own_and_keeps_others_out(facefleet: Facefleet, place: Path) -> None:
    assert facefleet("albums", "--json").document == []
    with hold_data_directory(place / "data") as held, serve_embedded(held, Needs.LEDGER) as client:
        assert client.get("albums") == {"albums": []}
        with pytest.raises(NotAuthenticated):
            ApiClient(client.url).get("albums")


def test_a_key_says_whose_albums_a_command_means_without_a_server_too(
    facefleet: Facefleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = facefleet("keys", "create", "--tenant", "acme", "--scope", "read", "--json").document["key"]
    monkeypatch.setenv("FACEFLEET_API_KEY", key)
    assert facefleet("albums", "--json").document == []
    refused = facefleet("delete", "album", "--yes")
    assert (refused.status, "scope admin" in refused.stderr) == (2, True)
    # Where no keys are made, it is one of another server.
    monkeypatch.delenv("FACEFLEET_MASTER_SECRET")
    assert facefleet("albums", "--json").document == []


def test_a_command_finds_the_key_of_a_server_in_its_data_directory(facefleet: Facefleet, place: Path) -> None:
    with hold_data_directory(place / "data") as held, serve_embedded(held, Needs.LEDGER) as client:
        held.publish(client.url, client._headers["X-Api-Key"])
        assert facefleet("albums", "--json").document == []
        held.publish(client.url, "another")
        assert "show an API key" in facefleet("albums").stderr
