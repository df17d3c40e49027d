"""Requests made up from the OpenAPI document, with keys on: whatever is sent, the server does not break or open."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from http import HTTPStatus

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case
from schemathesis.generation.modes import GenerationMode

from api.dependencies import Services
from api.main import create_app
from api.permissions import needed_scopes
from facefleet.identity.api_key import draw_key
from facefleet.identity.caller import Scope
from facefleet.ledger.keys import KeyGrant
from facefleet.records import DEFAULT_TENANT
from tests.fixtures.keys import MASTER_SECRET

#: A stream ends with its job, which the tests of jobs follow; clusters are waited for.
LEFT_OUT = ["/v1/jobs/{job}/events", "/cluster"]
EXAMPLES = 3
#: The webhook asks for a secret of its own.
OTHER_SECRET = {"/v1/events/s3"}
_SHOWN = {"authorization", "x-api-key", "cookie"}


def test_nothing_that_is_sent_breaks_the_server(
    open_drawn_services: Callable[..., AbstractContextManager[Services]],
) -> None:
    unlimited = {"key_requests_per_s": 1e9, "key_burst_requests": 10**9}
    with open_drawn_services(trusted_hosts="testserver", master_secret=MASTER_SECRET, **unlimited) as opened:
        services = replace(opened, keys_are_on=True)
        key = draw_key()
        services.ledger.keys.add(key, KeyGrant(DEFAULT_TENANT, "", [Scope.ADMIN]))
        services.ledger.albums.create("people")
        services.gallery.prepare(services.model_version, 64)
        schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(services)).exclude(path=LEFT_OUT)
        asked = 0
        for operation in schema.get_all_operations():
            for mode in GenerationMode:
                asked += 1
                with suppress(Unsatisfiable):  # nothing can be wrong with a request without parameters
                    _ask_often(operation.ok().as_strategy(generation_mode=mode), key.text)
    assert asked > 40


def _ask_often(cases: object, key: str) -> None:
    checks = list(HealthCheck)

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=checks, database=None)
    @given(case=cases)
    def ask(case: Case) -> None:
        case.headers = {name: value for name, value in (case.headers or {}).items() if name.lower() not in _SHOWN}
        case.cookies = {}
        response = case.call(headers={"X-Api-Key": key})
        assert response.status_code < 500, (case.as_curl_command(), response.text)
        assert response.status_code != HTTPStatus.UNAUTHORIZED or case.path in OTHER_SECRET, response.text
        assert "Traceback" not in response.text
        if needed_scopes(case.method.upper(), case.path):
            # Without the key nothing is answered but that it is missing, or that what was sent is no request at all.
            assert case.call().status_code in {400, 401, 403, 404, 405, 413, 415, 422}, case.as_curl_command()

    ask()
