"""A server with keys on, a tenant or two, and clients that show keys."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TypeAlias

import httpx
import pytest

from api.dependencies import Services
from facefleet.identity.api_key import DrawnKey, draw_key
from facefleet.identity.caller import Scope
from facefleet.ledger.keys import KeyGrant
from tests.integration.api import conftest as api_conftest

MASTER_SECRET = "a-master-secret-for-tests-of-64-hexadecimal-digits-or-so-and-more"

open_drawn_services = api_conftest.open_drawn_services
OpenServices: TypeAlias = Callable[..., AbstractContextManager[Services]]


@pytest.fixture
def services(open_drawn_services: OpenServices) -> Iterator[Services]:
    with open_drawn_services(master_secret=MASTER_SECRET) as opened:
        yield replace(opened, keys_are_on=True)


@dataclass
class Guarded:
    """A running server that asks for keys."""

    http: httpx.Client
    services: Services

    def key(
        self,
        *scopes: Scope,
        tenant: str = "default",
        albums: tuple[str, ...] | None = None,
        expires_in_s: float | None = None,
    ) -> DrawnKey:
        drawn = draw_key()
        self.services.ledger.keys.add(drawn, KeyGrant(tenant, "test", scopes or tuple(Scope), albums, expires_in_s))
        return drawn

    def ask(self, method: str, path: str, key: DrawnKey | None = None, **request: object) -> httpx.Response:
        headers = {**request.pop("headers", {}), **({} if key is None else {"X-Api-Key": key.text})}  # type: ignore[dict-item]
        return self.http.request(method, path, headers=headers, **request)  # type: ignore[arg-type]


@pytest.fixture
def guarded(services: Services) -> Iterator[Guarded]:
    with api_conftest.serving(services) as http:
        yield Guarded(http, services)
