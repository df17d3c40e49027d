"""Requests made up from the OpenAPI document: whatever is sent, the server does not break."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case
from schemathesis.generation.modes import GenerationMode

from api.dependencies import Services
from api.main import create_app

#: A stream ends with its job, which the tests of jobs follow; clusters are waited for; the last says 501, and why.
LEFT_OUT = ["/v1/jobs/{job}/events", "/cluster", "/predictions/{image_id}"]
EXAMPLES = 3


def test_nothing_that_is_sent_breaks_the_server(
    open_drawn_services: Callable[..., AbstractContextManager[Services]],
) -> None:
    with open_drawn_services(trusted_hosts="testserver") as services:
        services.ledger.albums.create("people")
        services.gallery.prepare(services.model_version, 64)
        schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(services)).exclude(path=LEFT_OUT)
        asked = 0
        for operation in schema.get_all_operations():
            for mode in GenerationMode:
                asked += 1
                with suppress(Unsatisfiable):  # nothing can be wrong with a request without parameters
                    _ask_often(operation.ok().as_strategy(generation_mode=mode))
    assert asked > 40


def _ask_often(cases: object) -> None:
    checks = list(HealthCheck)

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=checks, database=None)
    @given(case=cases)
    def ask(case: Case) -> None:
        response = case.call()
        assert response.status_code < 500, (case.as_curl_command(), response.text)
        assert "Traceback" not in response.text

    ask()
