import json
from pathlib import Path

import pytest

from api.openapi_document import render_openapi

CHECKOUT = Path(__file__).resolve().parents[3]


def test_document_in_the_repository_is_what_the_routes_say() -> None:
    written = (CHECKOUT / "docs/openapi.json").read_text(encoding="utf-8")
    assert json.loads(written) == json.loads(render_openapi()), "routes have changed: make openapi"
    assert written == render_openapi()


def test_nothing_of_this_machine_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = render_openapi()
    monkeypatch.setenv("FACEFLEET_MAX_UPLOAD_PHOTOS", "7")
    monkeypatch.setenv("FACEFLEET_SEARCH_LIMIT", "7")
    assert render_openapi() == before
    assert str(Path.home()) not in before
