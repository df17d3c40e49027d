"""The scene, built once: servers, proxies, fleet, and what the models find in the drawn photos."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import boto3
import pytest

from demo.album import draw_album
from facefleet.gallery.edge_client import EdgeClientGallery
from facefleet.recognition.recognizer import load_recognizer
from facefleet.records import Template
from facefleet.settings import Settings
from tests.chaos.fleet import SETTINGS, Fleet
from tests.chaos.oracle import Oracle
from tests.chaos.proxy import FaultProxy
from tests.chaos.scene import BUCKET, Scene
from tests.chaos.servers import PostgresServer, RedisServer
from tests.fixtures.processes import free_port

DRAWINGS = 12


@pytest.fixture(scope="session")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    directory = tmp_path_factory.mktemp("drawings")
    draw_album(directory, photos=DRAWINGS, people=8, seed=5)
    return {path.name: path.read_bytes() for path in sorted(directory.glob("*.jpg"))}


@pytest.fixture(scope="session")
def truth(drawings: dict[str, bytes]) -> tuple[str, dict[str, list[Template]]]:
    """The model version, and the templates in each drawn photo as this process finds them."""
    chosen = {name: SETTINGS[name] for name in ("model_pack", "runtime", "cpu_threads", "detection_size_px")}
    with closing(load_recognizer(Settings(**chosen))) as recognizer:  # type: ignore[arg-type]  pydantic reads strings
        found = {name: [face.template for face in recognizer.recognize(data).faces] for name, data in drawings.items()}
        return recognizer.model_version, found


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RedisServer, PostgresServer]]:
    redis, postgres = RedisServer(tmp_path_factory.mktemp("redis")), PostgresServer()
    redis.start()
    postgres.create()
    postgres.start()
    yield redis, postgres
    redis.stop()
    postgres.stop()


@pytest.fixture(scope="module")
def scene(
    tmp_path_factory: pytest.TempPathFactory,
    drawings: dict[str, bytes],
    truth: tuple[str, dict[str, list[Template]]],
    servers: tuple[RedisServer, PostgresServer],
    s3_endpoint: str,
) -> Iterator[Scene]:
    redis, postgres = servers
    home: Path = tmp_path_factory.mktemp("fleet")
    seed = int(os.environ.get("SEED", "1"))
    s3_proxy = FaultProxy(int(s3_endpoint.rpartition(":")[2]), seed)
    redis_proxy = FaultProxy(redis.port, seed)
    s3 = boto3.session.Session().client("s3", endpoint_url=s3_endpoint)
    s3.create_bucket(Bucket=BUCKET)
    settings = SETTINGS | {
        "data_dir": str(home / "data"),
        "ledger_url": postgres.url,
        "broker_url": f"redis://127.0.0.1:{redis_proxy.port}/0",
        "s3_endpoint_url": f"http://127.0.0.1:{s3_proxy.port}",
    }
    gallery = EdgeClientGallery(home / "data" / "gallery.sock")
    oracle = Oracle(postgres.url, gallery, *truth)
    fleet = Fleet(home, settings, free_port())
    try:
        yield Scene(home, fleet, redis, postgres, s3, s3_proxy, redis_proxy, oracle, drawings)
    finally:
        fleet.stop()
        gallery.close()
        s3.close()
        s3_proxy.close()
        redis_proxy.close()
