"""The three scenes, with everything that belongs to each."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx

from facefleet.face_records import Template
from facefleet.gallery.edge_client import EdgeClientGallery
from facefleet.gallery.protocol import Gallery
from facefleet.ledger.database import connect
from tests.chaos.disk import LittleDisk
from tests.chaos.fleet import NAMES, SETTINGS, Fleet
from tests.chaos.oracle import Oracle
from tests.chaos.profile import SEED
from tests.chaos.proxy import FaultProxy
from tests.chaos.qdrant import QdrantServer
from tests.chaos.scene import BUCKET, Kind, Scene
from tests.chaos.servers import PostgresServer, RedisServer
from tests.fixtures.keys import MASTER_SECRET, make_key
from tests.fixtures.processes import free_port

#: The gallery's engine takes tens of megabytes more whenever it is opened.
_DISKS_MB = {"ledger": 12, "gallery": 160, "temp": 12}
#: A lease has to outlive what is done to the ledger of a single process: nobody else could take its photos.
_ONE_SETTINGS = {"lease_s": "60", "gallery_reserve_bytes": "40000000", "max_upload_bytes": "6000000"}


@dataclass(frozen=True)
class Truth:
    """What the models find, as another process than the fleet's sees it."""

    model_version: str
    recognize: Callable[[bytes], list[Template] | None]


@contextmanager
def open_scene(kind: Kind, home: Path, s3_endpoint: str, drawings: dict[str, bytes], truth: Truth) -> Iterator[Scene]:
    """Start the servers of a scene; its fleet is started by the first row."""
    with ExitStack() as stack:
        redis, postgres, qdrant = _make_servers(kind, home, stack)
        proxies = {
            name: stack.enter_context(closing(FaultProxy(port, SEED)))
            for name, port in (
                ("s3", int(s3_endpoint.rpartition(":")[2])),
                ("redis", redis.port),
                ("qdrant", qdrant.port),
            )
        }
        disks = {name: LittleDisk(home / name, size_mb) for name, size_mb in _DISKS_MB.items()} if kind == "one" else {}
        for disk in disks.values():
            disk.create()
            stack.callback(disk.remove)
        s3, sqs = (boto3.session.Session().client(name, endpoint_url=s3_endpoint) for name in ("s3", "sqs"))
        s3.create_bucket(Bucket=BUCKET)
        stack.enter_context(closing(s3))
        stack.enter_context(closing(sqs))
        settings = SETTINGS | _settings_of(kind, home, postgres, proxies)
        database = connect(settings.get("ledger_url", f"sqlite:///{_ledger_of_one(home)}"))
        stack.callback(database.engine.dispose)
        gallery = stack.enter_context(closing(_open_gallery(kind, Path(settings["data_dir"]), qdrant)))
        found: dict[str, Any] = {name: truth.recognize(data) for name, data in drawings.items()}
        names, environment = (("up",), {"TMPDIR": str(home / "temp")}) if kind == "one" else (NAMES, {})
        fleet = Fleet(home, settings, free_port(), names, environment)
        stack.callback(fleet.stop)
        # A connection for each request: who answered the last one may be dead.
        limits = httpx.Limits(max_keepalive_connections=0)
        url = f"http://127.0.0.1:{fleet.api_port}"
        shown = {} if kind == "one" else {"X-Api-Key": make_key(settings["ledger_url"])}
        client = httpx.Client(base_url=url, headers=shown, timeout=20, limits=limits, verify=False)
        http = stack.enter_context(client)
        yield Scene(
            kind=kind,
            home=home,
            fleet=fleet,
            redis=redis,
            postgres=postgres,
            qdrant=qdrant,
            disks=disks,
            s3=s3,
            sqs=sqs,
            proxies=proxies,
            oracle=Oracle(database, gallery, truth.model_version, found),
            drawings=dict(drawings),
            recognize=truth.recognize,
            http=http,
        )


def _make_servers(kind: Kind, home: Path, stack: ExitStack) -> tuple[RedisServer, PostgresServer, QdrantServer]:
    for name in ("redis", "qdrant"):
        (home / name).mkdir()
    redis, postgres, qdrant = RedisServer(home / "redis"), PostgresServer(), QdrantServer(home / "qdrant")
    if kind != "one":
        postgres.create()
        for server in (redis, postgres):
            server.start()
            stack.callback(server.stop)
    if kind == "qdrant":
        qdrant.start()
        stack.callback(qdrant.stop)
    return redis, postgres, qdrant


def _settings_of(kind: Kind, home: Path, postgres: PostgresServer, proxies: dict[str, FaultProxy]) -> dict[str, str]:
    s3 = {"s3_endpoint_url": f"http://127.0.0.1:{proxies['s3'].port}"}
    if kind == "one":
        # In the data directory, so that a new process knows that nobody else holds a lease; on a disk of its own.
        (home / "gallery" / "ledger.sqlite3").symlink_to(_ledger_of_one(home))
        uploads = {"upload_url": (home / "temp" / "uploads").as_uri()}
        return s3 | uploads | _ONE_SETTINGS | {"data_dir": str(home / "gallery")}
    fleet = {
        "data_dir": str(home / "data"),
        "ledger_url": postgres.url,
        "broker_url": f"redis://127.0.0.1:{proxies['redis'].port}/0",
        "master_secret": MASTER_SECRET,
        # Overload is to be met by the places for searches.
        "key_requests_per_s": "100000",
        "key_burst_requests": "100000",
    }
    qdrant = {"qdrant_url": f"http://127.0.0.1:{proxies['qdrant'].port}"} if kind == "qdrant" else {}
    return s3 | fleet | qdrant


def _ledger_of_one(home: Path) -> Path:
    return home / "ledger" / "ledger.sqlite3"


def _open_gallery(kind: Kind, data_dir: Path, qdrant: QdrantServer) -> Gallery:
    """Reach the gallery past everything that is done to the fleet."""
    if kind == "qdrant":
        # Seconds that only one of the scenes is to pay.
        from facefleet.gallery.qdrant_server import QdrantServerGallery, connect_qdrant  # noqa: PLC0415

        return QdrantServerGallery(connect_qdrant(f"http://127.0.0.1:{qdrant.port}", ""))
    return EdgeClientGallery(data_dir / "gallery.sock")
