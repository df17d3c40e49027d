"""One album under one fault: the harm that may be done to it, and what is seen of it."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from facefleet.errors import FacefleetError
from tests.chaos.oracle import Listed, Verdict
from tests.chaos.proxy import Toxic
from tests.chaos.scene import Scene
from tests.fixtures.processes import wait_until


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
    #: What the storm itself saw of its fault.
    seen: Counter[str]
    verdict: Verdict


@dataclass
class Run:
    """`armed=False`: the storm is run, and nothing is done to anybody."""

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
    seen: Counter[str] = field(default_factory=Counter)
    listed: list[Listed] = field(default_factory=list)
    album_id: UUID = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self._events_before = self.scene.fleet.log_events()
        self._exits_before = Counter(self.scene.fleet.exits)
        self._hits_before = self._hits()

    def begin(self, enter: Callable[["Run"], None]) -> None:
        """Put the photos into the bucket and have them handed to the fleet."""
        self.scene.upload(self.album, self.photos)
        self.look()
        self.album_id = self.scene.create_album(self.album)
        enter(self)

    def look(self) -> None:
        """List the bucket: what is there has to be settled."""
        self.listed = self.scene.list_album(self.album)

    def submit(self) -> None:
        """Hand the album to the fleet, as a user does."""
        status = self.scene.index(self.album)
        assert status == 202, status

    def wait_for_work(self, indexed: int = 8, leases: int = 1) -> None:
        """Return while so many leases are held; without harm there is nothing to wait for."""
        oracle = self.scene.oracle

        def under_way() -> bool:
            return self.count_indexed() >= indexed and oracle.held_leases() >= leases

        if self.armed:
            wait_until(under_way, f"work is under way; {self.describe()}", 40, every_s=0.1)

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

    def poison(self, server: str, toxic: Toxic) -> None:
        """Let the proxy before a server do harm until `heal`."""

        def strike() -> None:
            self.scene.proxies[server].toxic = toxic

        self.strike(strike)

    def last(self, seconds: float) -> None:
        """Let the harm last."""
        if self.armed:
            time.sleep(seconds)
            self.harmed_at_s = time.monotonic()

    def note(self, what: str, times: int = 1) -> None:
        """Remember what the storm saw of its fault."""
        self.seen[what] += times

    def heal(self) -> None:
        """Let everything pass again; while work goes on, recovery is measured from here."""
        self.scene.heal()
        if not self.quiet_at_s:
            self.harmed_at_s = time.monotonic()

    def is_quiet(self) -> bool:
        try:
            return self.scene.oracle.is_quiet(self.album_id, len(self.listed))
        except FacefleetError:  # the database is away
            return False

    def count_indexed(self) -> int:
        """Count the photos that are indexed at this instant."""
        return self.scene.oracle.count_states(self.album_id)["indexed"]

    def wait_for_quiet(self, within_s: float) -> None:
        """Wait until every photo is settled, starting again who died."""

        def quiet() -> bool:
            self.scene.fleet.revive()
            return self.is_quiet()

        try:
            wait_until(quiet, "quiet", within_s, every_s=0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.describe()}") from error
        if self.quiet_at_s < self.harmed_at_s:
            self.quiet_at_s = time.monotonic()

    def wait_until_whole(self, within_s: float) -> None:
        """Wait until every point is there again; what the ledger says is not enough."""

        def whole() -> bool:
            self.scene.fleet.revive()
            try:
                return self.is_quiet() and self.scene.oracle.judge(self.album_id, self.listed).lost == 0
            except FacefleetError:
                return False

        wait_until(whole, f"every point is there; {self.describe()}", within_s, every_s=0.5)
        self.quiet_at_s = time.monotonic()

    def delete_album(self) -> None:
        """Delete it as a user does."""
        self.scene.http.delete(f"/v1/albums/{self.album}", timeout=30).raise_for_status()

    def clear(self) -> None:
        """Leave the scene as it was: rows that look at every album are not to see this one."""
        self.scene.http.delete(f"/v1/albums/{self.album}", timeout=60)
        self.scene.empty(self.album)

    def describe(self) -> str:
        try:
            states = self.scene.oracle.count_states(self.album_id)
        except FacefleetError as error:
            return f"{error} at {self.scene.home}"
        return f"{dict(states)} of {len(self.listed)} at {self.scene.home}"

    def collect(self) -> Evidence:
        self.scene.fleet.note_exits()
        return Evidence(
            exits=self.scene.fleet.exits - self._exits_before,
            leases_at_fault=self.leases_at_fault,
            half_done_at_fault=self.half_done_at_fault,
            hits=self._hits() - self._hits_before,
            events=self.scene.fleet.log_events() - self._events_before,
            servers_struck=self.servers_struck,
            seen=self.seen,
            verdict=self.scene.oracle.judge(self.album_id, self.listed),
        )

    def _hits(self) -> Counter[str]:
        return sum((proxy.hits for proxy in self.scene.proxies.values()), Counter())
