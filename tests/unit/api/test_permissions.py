"""No route is open by mistake, and tenants are applied in one place: read in the code itself."""

import re
from pathlib import Path

from api import permissions
from facefleet.identity.caller import Scope
from tests.unit.api.conftest import Api

API = Path(permissions.__file__).parent
#: What answers for all tenants unless it is told whose; `summarize` takes the id of an album that was found.
_BESIDE_REACH = re.compile(r"\balbums\.(?!summarize\b)\w+\(|\bjobs\.progress\(|DEFAULT_TENANT")


def test_nothing_but_reach_asks_the_ledger_for_albums_or_jobs() -> None:
    found = [
        f"{path.relative_to(API)}: {line.strip()}"
        for path in sorted(API.rglob("*.py"))
        if path.name != "reach.py"
        for line in path.read_text().splitlines()
        if _BESIDE_REACH.search(line.replace("client.albums", ""))
    ]
    assert found == []


def test_every_route_says_no_to_who_shows_no_key(api: Api) -> None:
    guarded = api.with_services(keys_are_on=True).with_settings(master_secret=_secret(api))
    asked = 0
    for pattern, methods in api.app.openapi()["paths"].items():
        for method in map(str.upper, methods):
            if (method, pattern) in permissions.PUBLIC:
                continue
            asked += 1
            path = re.sub(r"\{\w+\}", "0" * 32, pattern)
            assert guarded.ask(method, path).status_code == 401, (method, pattern)
    assert asked > 25


def test_a_route_that_the_table_does_not_know_reads_or_is_closed() -> None:
    assert permissions.needed_scopes("GET", "/v1/new") == (Scope.READ,)
    assert permissions.needed_scopes("PATCH", "/v1/new") == (Scope.ADMIN,)


def _secret(api: Api) -> object:
    kind = type(api.services.settings.master_secret)
    return kind("m" * 32)
