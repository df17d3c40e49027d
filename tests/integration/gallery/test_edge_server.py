"""One host, several processes: the owner of the embedded gallery and its clients."""

import socket
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest

from facefleet.errors import ConfigurationError, GalleryUnavailable
from facefleet.gallery.edge_client import EdgeClientGallery
from facefleet.gallery.edge_server import serve_gallery
from facefleet.gallery.opening import gallery_socket, open_gallery
from facefleet.gallery.qdrant_edge import EdgeGallery
from facefleet.gallery.qdrant_server import QdrantServerGallery
from facefleet.records import GalleryPoint
from facefleet.settings import Settings

VERSION = "a1b2c3d4"
DIMENSIONS = 8
TEMPLATE = np.eye(DIMENSIONS, dtype=np.float32)[0]


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[EdgeGallery]:
    gallery = EdgeGallery(tmp_path / "gallery")
    gallery.prepare(VERSION, DIMENSIONS)
    yield gallery
    gallery.close()


@pytest.fixture
def socket_path(tmp_path: Path) -> Path:
    return tmp_path / "gallery.sock"


@pytest.fixture
def client(socket_path: Path) -> Iterator[EdgeClientGallery]:
    client = EdgeClientGallery(socket_path)
    yield client
    client.close()


def test_only_this_user_may_open_the_socket(owner: EdgeGallery, socket_path: Path) -> None:
    server = serve_gallery(owner, socket_path)

    assert stat.S_IMODE(socket_path.stat().st_mode) == 0o600
    server.close()
    assert not socket_path.exists()


def test_a_stale_socket_is_replaced(owner: EdgeGallery, socket_path: Path, client: EdgeClientGallery) -> None:
    with socket.socket(socket.AF_UNIX) as killed:  # what a killed owner leaves behind
        killed.bind(str(socket_path))
    with pytest.raises(GalleryUnavailable, match="refused"):
        client.check()

    server = serve_gallery(owner, socket_path)
    client.check()
    server.close()


def test_without_an_owner_the_gallery_is_unavailable(client: EdgeClientGallery, socket_path: Path) -> None:
    with pytest.raises(GalleryUnavailable, match=f"nobody answers for the gallery at {socket_path}"):
        client.check()


def test_an_owner_that_hangs_is_unavailable(socket_path: Path) -> None:
    client = EdgeClientGallery(socket_path, timeout_s=0.2)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(socket_path))
        listener.listen()
        with pytest.raises(GalleryUnavailable, match="timed out"):
            client.check()
    client.close()


def test_clients_find_an_owner_that_restarted(owner: EdgeGallery, socket_path: Path, client: EdgeClientGallery) -> None:
    album_id = uuid4()
    for _ in range(3):
        server = serve_gallery(owner, socket_path)
        client.upsert(VERSION, [GalleryPoint(uuid4(), album_id, uuid4(), TEMPLATE)])
        server.close()
        server = serve_gallery(owner, socket_path)
        client.check()  # its idle connection is of the first server
        server.close()
        with pytest.raises(GalleryUnavailable):
            client.count(VERSION)

    assert owner.count(VERSION, album_id) == 3


def test_a_gallery_that_closed_first_is_unavailable(
    owner: EdgeGallery, socket_path: Path, client: EdgeClientGallery
) -> None:
    server = serve_gallery(owner, socket_path)
    owner.close()

    with pytest.raises(GalleryUnavailable):
        client.check()
    server.close()


def test_many_clients_at_once(owner: EdgeGallery, socket_path: Path) -> None:
    server = serve_gallery(owner, socket_path)
    clients = [EdgeClientGallery(socket_path) for _ in range(4)]

    def write(number: int) -> None:
        points = [GalleryPoint(uuid4(), UUID(int=number), uuid4(), TEMPLATE) for _ in range(7)]
        clients[number % 4].upsert(VERSION, points)
        found = clients[number % 4].search(VERSION, UUID(int=number), TEMPLATE, limit=20, min_similarity=0.5)
        assert {match.face_id for match in found} == {point.face_id for point in points}

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(write, range(100)))

    assert owner.count(VERSION) == 700
    for client in clients:
        client.close()
    server.close()


def test_closing_does_not_wait_for_idle_clients(
    owner: EdgeGallery, socket_path: Path, client: EdgeClientGallery
) -> None:
    server = serve_gallery(owner, socket_path)
    client.check()  # its connection stays open

    closing = threading.Thread(target=server.close)
    closing.start()
    closing.join(10)

    assert not closing.is_alive()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/count", b""),
        ("/count", b"not json\n"),
        ("/count", b'{"shape": [0, 0]}\n'),
        ("/upsert", b'{"shape": [1, 8], "model_version": "a1b2c3d4", "points": []}\n1234'),
        ("/search", b'{"shape": [0, 0], "model_version": "a1b2c3d4", "album_id": "no uuid"}\n'),
        ("/close", b'{"shape": [0, 0]}\n'),
    ],
)
def test_nonsense_is_refused_in_a_sentence(owner: EdgeGallery, socket_path: Path, path: str, body: bytes) -> None:
    server = serve_gallery(owner, socket_path)
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket_path)), base_url="http://gallery") as caller:
        answer = caller.post(path, content=body)
        assert answer.status_code == 409
        assert b"does not understand" in answer.content
        assert caller.get("/count").status_code == 501
    server.close()

    assert owner.count(VERSION) == 0


def test_a_request_too_large_is_refused_unread(owner: EdgeGallery, socket_path: Path) -> None:
    server = serve_gallery(owner, socket_path)
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(socket_path))
        caller.sendall(b"POST /upsert HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n")
        answer = b""
        while piece := caller.recv(65536):
            answer += piece
    server.close()

    assert b"99999999999 bytes" in answer


def test_a_path_too_long_for_a_socket(owner: EdgeGallery, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be served at"):
        serve_gallery(owner, tmp_path / ("x" * 120))


def test_a_socket_in_a_folder_that_is_not_there(owner: EdgeGallery, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be served at"):
        serve_gallery(owner, tmp_path / "none" / "gallery.sock")


def test_settings_choose_the_gallery(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path)
    owned = open_gallery(settings, owner=True)
    server = serve_gallery(owned, gallery_socket(settings)) if isinstance(owned, EdgeGallery) else None
    reached = open_gallery(settings, owner=False)
    remote = open_gallery(settings.model_copy(update={"qdrant_url": "http://127.0.0.1:1"}), owner=True)

    reached.check()
    assert isinstance(reached, EdgeClientGallery)
    assert isinstance(remote, QdrantServerGallery)
    assert server is not None
    reached.close()
    remote.close()
    server.close()
    owned.close()
