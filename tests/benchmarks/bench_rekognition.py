"""CPU of one search by a signed request of the Rekognition protocol and by the native route with a key.

Without the models' share; what the callers spend on signing is not counted.

.venv/bin/pytest -q -s tests/benchmarks/bench_rekognition.py
"""

import asyncio
import base64
import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import httpx
import numpy as np
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from api.dependencies import Services
from api.main import create_app
from facefleet.ledger.images import IndexedImage
from facefleet.records import GalleryPoint, PhotoRef, face_id_of
from tests.fixtures.keys import MASTER_SECRET
from tests.integration.api import conftest
from tests.integration.rekognition.conftest import REGION, add_key, secret_of

#: Short rounds: neighbours on the machine change a processor's speed by half from one second to the next.
FACES, CALLS, ROUNDS = 1000, 10, 20
JPEG = {"content-type": "image/jpeg"}
TARGET = {"x-amz-target": "RekognitionService.SearchFacesByImage"}

open_drawn_services = conftest.open_drawn_services


@pytest.mark.parametrize(("image_bytes", "matches"), [(400_000, 10), (400_000, 100), (4_000_000, 100)])
def test_cpu_of_a_search(
    open_drawn_services: Callable[..., AbstractContextManager[Services]], image_bytes: int, matches: int
) -> None:
    image = b"people 1".ljust(image_bytes)
    unlimited = {"key_requests_per_s": 1e9, "key_burst_requests": 10**9}
    with open_drawn_services(master_secret=MASTER_SECRET, **unlimited) as opened:
        services = replace(opened, keys_are_on=True)
        fill(services)
        request = {"CollectionId": "album", "Image": {"Bytes": base64.b64encode(image).decode()}}
        body = json.dumps({**request, "MaxFaces": matches, "FaceMatchThreshold": 0}).encode()
        native, rekognition, more = asyncio.run(measure(services, image, body, matches))
    print(
        f"\n{image_bytes:,} bytes, {matches} matches: native {native:.2f} ms, rekognition {rekognition:.2f} ms of CPU, "
        f"{more:+.2f} ms"
    )


def fill(services: Services) -> None:
    """One album; every face is of another person but the first hundred."""
    album = services.ledger.albums.create("album")
    recognizer = conftest.DrawnRecognizer()
    services.gallery.prepare(services.model_version, recognizer.dimensions)
    points = []
    for number in range(FACES):
        recognized = recognizer.recognize(f"people {number}".encode())
        ref = PhotoRef(f"file:///{number}", f"{number}.jpg", "v", 1)
        image = IndexedImage(album.id, ref, services.model_version, recognized, frozenset({0}), f"{number}.jpg")
        services.ledger.images.store(image)
        face_id = face_id_of(image.photo_id, 0)
        points.append(GalleryPoint(face_id, album.id, image.photo_id, recognized.faces[0].template))
    services.gallery.upsert(services.model_version, points)


async def measure(services: Services, image: bytes, body: bytes, matches: int) -> tuple[float, float, float]:
    """Give the median round's milliseconds of CPU for each call: native, Rekognition, and how much more that is."""
    transport = httpx.ASGITransport(create_app(services))
    native_url = f"/v1/albums/album/search?limit={matches}&min_similarity=-1"
    key = add_key(services)
    signable = AWSRequest("POST", "http://localhost/", headers=TARGET, data=body)
    SigV4Auth(Credentials(key.id, secret_of(key)), "rekognition", REGION).add_auth(signable)
    signed = dict(signable.headers.items())
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        rounds = []
        for _ in range(ROUNDS):
            native = await cpu_ms(client, native_url, image, JPEG | {"x-api-key": key.text})
            rounds.append((native, await cpu_ms(client, "/", body, signed)))
    native_ms, rekognition_ms = np.array(rounds).T
    return float(np.median(native_ms)), float(np.median(rekognition_ms)), float(np.median(rekognition_ms - native_ms))


async def cpu_ms(client: httpx.AsyncClient, url: str, content: bytes, headers: dict[str, str]) -> float:
    began = time.process_time()
    for _ in range(CALLS):
        response = await client.post(url, content=content, headers=headers)
        assert response.status_code == 200, response.text
    return (time.process_time() - began) / CALLS * 1000
