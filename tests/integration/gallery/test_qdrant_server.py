"""What is particular to the server adapter: what it creates, and what it makes of refusals."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from qdrant_client import QdrantClient, models

from facefleet.errors import ConfigurationError, FacefleetError, GalleryUnavailable
from facefleet.gallery.qdrant_server import QdrantServerGallery, connect_qdrant
from facefleet.records import GalleryPoint

VERSION = "a1b2c3d4"
DIMENSIONS = 8
TEMPLATE = np.eye(DIMENSIONS, dtype=np.float32)[0]

pytestmark = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant:UserWarning"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
]


class RecordingClient(QdrantClient):
    """Qdrant's local mode; remembers the indexes, and may be told that another process is about to create."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.indexes: dict[str, Any] = {}
        self.created: dict[str, Any] = {}
        self.others_first = False

    def create_payload_index(self, collection_name: str, field_name: str, field_schema: Any, **kwargs: Any) -> Any:  # noqa: ANN401  (as in qdrant-client)
        self.indexes[field_name] = field_schema
        return super().create_payload_index(collection_name, field_name, field_schema, **kwargs)

    def create_collection(self, *args: Any, **kwargs: Any) -> bool:  # noqa: ANN401  (as in qdrant-client)
        self.created = kwargs
        if self.others_first:
            super().create_collection(*args, **kwargs)
        return super().create_collection(*args, **kwargs)


@pytest.fixture
def client() -> Iterator[RecordingClient]:
    client = RecordingClient()
    yield client
    client.close()


def test_albums_are_the_tenants(client: RecordingClient) -> None:
    QdrantServerGallery(client).prepare(VERSION, DIMENSIONS)

    assert client.indexes["album_id"].is_tenant is True
    assert client.indexes["album_id"].type == models.UuidIndexType.UUID
    assert set(client.indexes) == {"album_id", "photo_id"}


def test_graphs_are_built_for_large_albums_over_bytes(client: RecordingClient) -> None:
    QdrantServerGallery(client).prepare(VERSION, DIMENSIONS)

    hnsw, quantization = client.created["hnsw_config"], client.created["quantization_config"]
    assert (hnsw.m, hnsw.payload_m) == (0, 32)
    assert quantization.scalar.type == models.ScalarType.INT8


def test_the_alias_stays_on_the_first_version(client: RecordingClient) -> None:
    gallery = QdrantServerGallery(client)
    gallery.prepare(VERSION, DIMENSIONS)
    gallery.prepare("b2c3d4e5", DIMENSIONS)

    (alias,) = client.get_aliases().aliases
    assert (alias.alias_name, alias.collection_name) == ("faces", f"faces_{VERSION}")


def test_whoever_creates_second_uses_the_first_ones(client: RecordingClient) -> None:
    client.others_first = True
    gallery = QdrantServerGallery(client)

    gallery.prepare(VERSION, DIMENSIONS)

    assert gallery.count(VERSION) == 0


def test_collections_of_others_are_left_alone(client: RecordingClient) -> None:
    gallery = QdrantServerGallery(client)
    gallery.prepare(VERSION, DIMENSIONS)
    point = GalleryPoint(uuid4(), uuid4(), uuid4(), TEMPLATE)
    gallery.upsert(VERSION, [point])
    client.create_collection("documents", models.VectorParams(size=1, distance=models.Distance.DOT))
    payload = {"album_id": str(point.album_id)}
    client.upsert("documents", [models.PointStruct(id=1, vector=[1.0], payload=payload)])

    gallery.delete_album(point.album_id)

    assert (gallery.count(VERSION), client.count("documents").count) == (0, 1)


class Refusing(ThreadingHTTPServer):
    daemon_threads = True
    status = 500
    answer: Any = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Refuse)
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Refuse(BaseHTTPRequestHandler):
    server: Refusing

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.dumps({"status": {"error": self.server.answer}, "time": 0.0}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_PUT()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (as in http.server)
        pass


@pytest.fixture
def refusing() -> Iterator[Refusing]:
    with Refusing() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "answer", "error", "sentence"),
    [
        (500, "broken", GalleryUnavailable, "the Qdrant server answered 500"),
        (503, "starting", GalleryUnavailable, "the Qdrant server answered 503"),
        (404, "Not found: Collection", GalleryUnavailable, f"not prepared for templates of model {VERSION}"),
        (400, "Wrong input: Vector dimension error: expected dim: 4, got 8", ConfigurationError, "do not fit"),
        (400, "Wrong input", GalleryUnavailable, "answered 400"),
        (401, "Must provide an API key", ConfigurationError, "FACEFLEET_QDRANT_API_KEY"),
        (403, "Forbidden", ConfigurationError, "FACEFLEET_QDRANT_API_KEY"),
        (200, "no such shape", GalleryUnavailable, "does not answer"),
    ],
)
def test_refusals(refusing: Refusing, status: int, answer: str, error: type[FacefleetError], sentence: str) -> None:
    refusing.status, refusing.answer = status, answer
    gallery = QdrantServerGallery(connect_qdrant(refusing.url, ""))

    with pytest.raises(error, match=sentence):
        gallery.upsert(VERSION, [GalleryPoint(uuid4(), uuid4(), uuid4(), TEMPLATE)])
    with pytest.raises(error, match=sentence):
        gallery.search(VERSION, uuid4(), TEMPLATE, limit=1, min_similarity=0)
    gallery.close()


def test_nobody_listens() -> None:
    gallery = QdrantServerGallery(connect_qdrant("http://127.0.0.1:1", ""))

    with pytest.raises(GalleryUnavailable, match="does not answer"):
        gallery.check()
    with pytest.raises(GalleryUnavailable, match="does not answer"):
        gallery.prepare(VERSION, DIMENSIONS)
    gallery.close()


@pytest.mark.parametrize("url", ["http://", "http://host:port", "://", "http://[::1"])
def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(ConfigurationError, match="not the URL of a Qdrant server"):
        connect_qdrant(url, "")
