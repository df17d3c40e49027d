import pytest

from tests.unit.api.conftest import Api


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000", "[::1]"])
def test_loopback_answers_to_its_own_names(api: Api, host: str) -> None:
    assert api.ask("GET", "/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "", "[", "x@y"]
)
def test_loopback_answers_to_no_other_name(api: Api, host: str) -> None:
    response = api.ask("GET", "/v1/albums", headers={"host": host})
    assert (response.status_code, response.json()["type"]) == (421, "untrusted_host")
    assert api.with_services(on_loopback=False).ask("GET", "/v1/albums", headers={"host": host}).status_code == 200


def test_a_name_can_be_trusted(api: Api) -> None:
    proxied = api.with_settings(trusted_hosts="faces.example, other.example")
    assert proxied.ask("GET", "/v1/albums", headers={"host": "Faces.Example:443"}).status_code == 200
    assert proxied.ask("GET", "/v1/albums", headers={"host": "localhost"}).status_code == 200
    assert proxied.ask("GET", "/v1/albums", headers={"host": "more.example"}).status_code == 421


@pytest.mark.parametrize("on_loopback", [True, False])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000", "http://[", ""])
def test_a_foreign_page_reads_but_does_not_write(api: Api, origin: str, on_loopback: bool) -> None:
    server = api.with_services(on_loopback=on_loopback)
    headers = {"origin": origin, "host": "localhost:8000"}
    response = server.ask("POST", "/v1/albums/people/retry", headers=headers)
    assert (response.status_code, response.json()["type"]) == (403, "foreign_origin")
    assert server.ask("DELETE", "/v1/albums/people", headers=headers).status_code == 403
    assert server.ask("GET", "/v1/albums/people", headers=headers).status_code == 200


def test_pages_of_the_server_itself_and_of_trusted_names_write(api: Api) -> None:
    proxied = api.with_settings(trusted_hosts="faces.example")
    for origin in ("http://localhost:8000", "https://faces.example"):
        headers = {"origin": origin, "host": "localhost:8000"}
        assert proxied.ask("POST", "/v1/albums/people/retry", headers=headers).status_code == 200
