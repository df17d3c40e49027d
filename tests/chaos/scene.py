"""One fleet with its servers, and albums to index on it while something is done to them."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from tests.chaos.fleet import Fleet
from tests.chaos.oracle import Listed, Oracle, Verdict
from tests.chaos.proxy import FaultProxy, Toxic
from tests.chaos.servers import PostgresServer, RedisServer
from tests.fixtures.processes import wait_until

BUCKET = "chaos"


@dataclass(frozen=True)
class Evidence:
    """What was seen during one run; whether a fault landed is read from this alone."""

    #: (role, exit status) of processes that ended.
    exits: Counter[tuple[str, int]]
    #: Leases that were held when a fault struck, all strikes together.
    leases_at_fault: int
    #: Photos whose points were written and whose row was not, when a fault struck.
    half_done_at_fault: int
    #: What the proxies did to requests.
    hits: Counter[str]
    #: Log lines by event.
    events: Counter[str]
    #: Servers that were killed or emptied.
    servers_struck: int
    verdict: Verdict


@dataclass
class Scene:
    """Built once for all rows. Photos are never changed, so that each row has an album of its own."""

    home: Path
    fleet: Fleet
    redis: RedisServer
    postgres: PostgresServer
    s3: Any
    s3_proxy: FaultProxy
    redis_proxy: FaultProxy
    oracle: Oracle
    #: Bytes by name of the drawn photo.
    drawings: dict[str, bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.fleet.api_port}"

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def wait_until_ready(self, within_s: float = 90) -> None:
        def ready() -> bool:
            self.fleet.revive()
            return self.is_ready()

        wait_until(ready, "the fleet is ready", within_s)

    def upload(self, album: str, photos: int) -> list[Listed]:
        """Put an album into the bucket and return what S3 lists."""
        names = sorted(self.drawings)
        for number in range(photos):
            drawing = names[number % len(names)]
            key = f"{album}/{number:04d}-{drawing}"
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=self.drawings[drawing])
        return self.list_album(album)

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

    def submit(self, album: str) -> UUID:
        created = httpx.post(f"{self.url}/v1/albums", json={"name": album}, timeout=20)
        created.raise_for_status()
        source = {"source": f"s3://{BUCKET}/{album}/"}
        httpx.post(f"{self.url}/v1/albums/{album}/index", json=source, timeout=20).raise_for_status()
        return UUID(created.json()["id"])


@dataclass
class Run:
    """One album under one fault. `armed=False`: nothing is done to anybody."""

    scene: Scene
    album: str
    seed: int
    photos: int
    armed: bool = True
    leases_at_fault: int = 0
    half_done_at_fault: int = 0
    servers_struck: int = 0
    strikes: int = 0
    #: When harm was done last, and when every photo was settled after it.
    harmed_at_s: float = 0
    quiet_at_s: float = 0
    album_id: UUID = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self._events_before = self.scene.fleet.log_events()
        self._exits_before = Counter(self.scene.fleet.exits)
        self._hits_before = self._hits()

    def begin(self) -> None:
        """Hand the album to the fleet."""
        self.listed = self.scene.upload(self.album, self.photos)
        self.album_id = self.scene.submit(self.album)

    def wait_for_work(self, *, indexed: int = 1) -> None:
        """Return when photos are being worked on, and some are done."""
        oracle = self.scene.oracle

        def under_way() -> bool:
            done = sum(row.state == "indexed" for row in oracle.rows(self.album_id))
            return done >= indexed and oracle.held_leases() > 0

        wait_until(under_way, "work is under way", 40)

    def strike(self, do: Callable[[], None]) -> None:
        """Do harm, and note what it met."""
        if not self.armed:
            return
        self.strikes += 1
        self.leases_at_fault += self.scene.oracle.held_leases()
        self.half_done_at_fault += self.scene.oracle.unfinished_with_points(self.album_id)
        do()
        self.harmed_at_s = time.monotonic()

    def strike_server(self, do: Callable[[], None]) -> None:
        """Do harm to a server."""
        self.strike(do)
        self.servers_struck += self.armed

    def poison(self, proxy: FaultProxy, toxic: Toxic) -> None:
        """Let a proxy do harm until `heal`."""

        def strike() -> None:
            proxy.toxic = toxic

        self.strike(strike)

    def heal(self) -> None:
        """Let everything pass again; while work goes on, recovery is measured from here."""
        self.scene.s3_proxy.toxic = self.scene.redis_proxy.toxic = None
        if not self.quiet_at_s:
            self.harmed_at_s = time.monotonic()

    def wait_for_quiet(self, within_s: float) -> None:
        """Wait until every photo is settled, starting again who died."""

        def quiet() -> bool:
            self.scene.fleet.revive()
            return self.scene.oracle.is_quiet(self.album_id, len(self.listed))

        wait_until(quiet, f"quiet; {self.describe()}", within_s)
        if self.quiet_at_s < self.harmed_at_s:
            self.quiet_at_s = time.monotonic()

    def wait_until_whole(self, within_s: float) -> None:
        """Wait until every point is there again; what the ledger says is not enough."""

        def whole() -> bool:
            self.scene.fleet.revive()
            is_quiet = self.scene.oracle.is_quiet(self.album_id, len(self.listed))
            return is_quiet and self.scene.oracle.judge(self.album_id, self.listed).lost == 0

        wait_until(whole, f"every point is there; {self.describe()}", within_s)
        self.quiet_at_s = time.monotonic()

    def delete_album(self) -> None:
        """Delete it as a user does."""
        httpx.delete(f"{self.scene.url}/v1/albums/{self.album}", timeout=30).raise_for_status()

    def describe(self) -> str:
        states = Counter(row.state for row in self.scene.oracle.rows(self.album_id))
        return f"{dict(states)} at {self.scene.home}"

    def collect(self) -> Evidence:
        self.scene.fleet.note_exits()
        return Evidence(
            exits=self.scene.fleet.exits - self._exits_before,
            leases_at_fault=self.leases_at_fault,
            half_done_at_fault=self.half_done_at_fault,
            hits=self._hits() - self._hits_before,
            events=self.scene.fleet.log_events() - self._events_before,
            servers_struck=self.servers_struck,
            verdict=self.scene.oracle.judge(self.album_id, self.listed),
        )

    def _hits(self) -> Counter[str]:
        return self.scene.s3_proxy.hits + self.scene.redis_proxy.hits
