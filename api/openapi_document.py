"""`docs/openapi.json`, written from the routes: `make openapi`."""

import json
import sys
from typing import Any, cast

from api.dependencies import Services
from api.main import create_app
from facefleet.metrics import Metrics
from facefleet.settings import Settings


def render_openapi() -> str:
    """Describe every route that is in the schema; keys are sorted, so that two renderings differ where routes do."""
    missing = cast("Any", None)  # describing asks nothing of anybody
    services = Services(
        settings=Settings.model_construct(),  # the defaults, whatever the environment says
        ledger=missing,
        gallery=missing,
        stores=missing,
        metrics=Metrics(),
        recognizer=None,
        model_version="",
        on_loopback=True,
    )
    return json.dumps(create_app(services).openapi(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render_openapi())
