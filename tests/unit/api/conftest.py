import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from api.dependencies import Services
from api.main import create_app
from facefleet.metrics import Metrics
from facefleet.records import Album
from facefleet.settings import Settings
from tests.unit.api.fakes import MODEL_VERSION, FakeGallery, FakeLedger, FakeRecognizer, FakeStores


@dataclass
class Api:
    """The application with its fakes, asked without sockets. It has an album, `people`."""

    app: FastAPI
    services: Services
    ledger: FakeLedger
    gallery: FakeGallery
    stores: FakeStores
    recognizer: FakeRecognizer

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:  # noqa: ANN401  as httpx has it
        return asyncio.run(self.ask_async(method, path, **request))

    async def ask_async(self, method: str, path: str, **request: Any) -> httpx.Response:  # noqa: ANN401  as httpx has it
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, **request)

    def with_services(self, **changed: Any) -> "Api":  # noqa: ANN401  any field
        services = replace(self.services, **changed)
        return replace(self, app=create_app(services), services=services)

    def with_settings(self, **changed: Any) -> "Api":  # noqa: ANN401  any field
        return self.with_services(settings=self.services.settings.model_copy(update=changed))


@pytest.fixture
def api(tmp_path: Path) -> Api:
    ledger, gallery, stores, recognizer = FakeLedger(), FakeGallery(), FakeStores(), FakeRecognizer()
    services = Services(
        settings=Settings(_env_file=None, data_dir=tmp_path),
        ledger=cast("Any", ledger),
        gallery=cast("Any", gallery),
        stores=cast("Any", stores),
        metrics=Metrics(),
        recognizer=cast("Any", recognizer),
        model_version=MODEL_VERSION,
        on_loopback=True,
    )
    return Api(create_app(services), services, ledger, gallery, stores, recognizer)


@pytest.fixture(autouse=True)
def album(api: Api) -> Album:
    return api.ledger.albums.create("people")
