from tests.unit.api.conftest import Api


def test_a_server_without_keys_says_so_to_a_page_that_asks(api: Api) -> None:
    for method in ("GET", "POST"):
        answer = api.ask(method, "/v1/session")
        assert answer.json() == {
            "keys": False,
            "tenant": "default",
            "scopes": ["read", "index", "admin"],
            "albums": None,
            "key_id": "",
        }
        assert "set-cookie" not in answer.headers
