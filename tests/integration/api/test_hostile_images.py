"""Files that no decoder likes, sent to a real recognizer: every answer is a result or a clear problem."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from api.dependencies import Services
from facefleet.recognition.starting import load_recognizer
from tests.integration.api.conftest import serving

pytestmark = pytest.mark.shared
BINARY = {"content-type": "application/octet-stream"}


@pytest.fixture
def real_client(services: Services, real_pack: Path) -> Iterator[httpx.Client]:
    settings = services.settings.model_copy(update={"model_pack": str(real_pack), "cpu_threads": 1})
    with closing(load_recognizer(settings)) as recognizer:
        real = replace(services, settings=settings, recognizer=recognizer, model_version=recognizer.model_version)
        with serving(real) as client:
            client.post("/v1/albums", json={"name": "people"}).raise_for_status()
            yield client


def test_every_hostile_image_is_a_result_or_a_clear_problem(real_client: httpx.Client, shared_dir: Path) -> None:
    files = sorted(path for path in (shared_dir / "bad-images").rglob("*") if path.is_file())
    assert len(files) > 20
    for path in files:
        response = real_client.post("/v1/albums/people/search", content=path.read_bytes(), headers=BINARY)
        assert response.status_code in {200, 413, 422}, (path.name, response.text)
        if response.status_code != 200:
            assert response.headers["content-type"] == "application/problem+json"
            assert response.json()["detail"], path.name
    assert real_client.get("/readyz").json()["ready"] is True


def test_a_face_is_detected_where_it_is(real_client: httpx.Client, shared_dir: Path) -> None:
    photo = next((shared_dir / "photos").glob("*.jpg"))
    body = real_client.post("/v1/detect", files={"image": (photo.name, photo.read_bytes())}).json()
    assert body["faces"]
    for face in body["faces"]:
        x, y, w, h = face["box"]
        assert 0 <= x < x + w <= body["width"] + 1
        assert 0 <= y < y + h <= body["height"] + 1
        assert face["box_fraction"] == pytest.approx(
            [x / body["width"], y / body["height"], w / body["width"], h / body["height"]], abs=1e-4
        )
