"""One fleet with its servers, and what is done with it: photos put into its bucket, albums handed to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import httpx

from facefleet.face_records import Template
from tests.chaos.disk import LittleDisk
from tests.chaos.fleet import Fleet
from tests.chaos.oracle import Listed, Oracle
from tests.chaos.proxy import FaultProxy
from tests.chaos.qdrant import QdrantServer
from tests.chaos.servers import PostgresServer, RedisServer
from tests.fixtures.processes import wait_until
from tests.fixtures.s3 import put_object

BUCKET = "chaos"

#: fleet: four processes on Redis and PostgreSQL, embedded gallery. qdrant: the same with the server adapter.
#: one: `facefleet up` on SQLite, each of its directories on a little disk.
Kind = Literal["fleet", "qdrant", "one"]


@dataclass
class Scene:
    """Built once for many rows. Photos are never changed, so that each row has an album of its own."""

    kind: Kind
    home: Path
    fleet: Fleet
    #: Not started where the fleet has none; `one` has neither.
    redis: RedisServer
    postgres: PostgresServer
    qdrant: QdrantServer
    disks: Mapping[str, LittleDisk]
    s3: Any
    sqs: Any
    #: By the server that each stands before: s3, redis, qdrant.
    proxies: Mapping[str, FaultProxy]
    oracle: Oracle
    #: Bytes by name of the drawn photo.
    drawings: dict[str, bytes]
    #: What the models find in bytes; None: they cannot be read.
    recognize: Callable[[bytes], list[Template] | None]
    #: Of the api. A client for each request would spend its time on certificates.
    http: httpx.Client

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.fleet.api_port}"

    @property
    def key(self) -> str:
        """What the api is shown; `one` asks for none."""
        return self.http.headers.get("x-api-key", "none")

    def is_ready(self) -> bool:
        try:
            return self.http.get("/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def wait_until_ready(self, within_s: float = 90) -> None:
        def ready() -> bool:
            self.fleet.revive()
            return self.is_ready()

        wait_until(ready, "the fleet is ready", within_s, every_s=0.2)

    def upload(self, album: str, photos: int, first: int = 0) -> None:
        """Put drawn photos into the bucket."""
        names = sorted(self.drawings)
        for number in range(first, first + photos):
            drawing = names[number % len(names)]
            self.put(f"{album}/{number:04d}-{drawing}", self.drawings[drawing])

    def put(self, key: str, data: bytes) -> None:
        """Put one object into the bucket; what follows its number names what the models are to find in it.

        Past the wire: nothing of the product is asked there, and its two ends would take half as long as the workers.
        """
        put_object(BUCKET, key, data)

    def list_album(self, album: str) -> list[Listed]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{album}/")
        return [
            Listed(
                f"s3://{BUCKET}/{entry['Key']}",
                entry["ETag"].strip('"'),
                entry["Key"].rpartition("/")[2].partition("-")[2],
            )
            for page in pages
            for entry in page.get("Contents", ())
        ]

    def create_album(self, album: str) -> UUID:
        created = self.http.post("/v1/albums", json={"name": album}, timeout=20)
        created.raise_for_status()
        return UUID(created.json()["id"])

    def index(self, album: str) -> int:
        """Ask for the album's part of the bucket to be indexed; returns the status of the answer."""
        source = {"source": f"s3://{BUCKET}/{album}/"}
        return self.http.post(f"/v1/albums/{album}/index", json=source, timeout=20).status_code

    def heal(self) -> None:
        """Let everything pass again."""
        for proxy in self.proxies.values():
            proxy.toxic = None

    def empty(self, album: str) -> None:
        """Remove an album's photos from the bucket."""
        keys = [{"Key": each.uri.removeprefix(f"s3://{BUCKET}/")} for each in self.list_album(album)]
        if keys:
            self.s3.delete_objects(Bucket=BUCKET, Delete={"Objects": keys, "Quiet": True})
