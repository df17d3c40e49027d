"""The matrix: what is done, how it is proven to have landed, and what is expected besides."""

import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.fleet import NAMES
from tests.chaos.proxy import Toxic
from tests.chaos.scene import Evidence, Run

_KILLED = -int(signal.SIGKILL)


def _no_dead(evidence: Evidence) -> bool:
    return not evidence.verdict.dead


def _no_attempt_burnt(evidence: Evidence) -> bool:
    return _no_dead(evidence) and evidence.verdict.redeliveries == 0


@dataclass(frozen=True)
class Row:
    """One fault."""

    fault: str
    storm: Callable[[Run], None]
    #: How often the fault is seen to have landed; 0 when it was not there.
    landed: Callable[[Evidence], int]
    #: What has to hold besides the invariants.
    expected: Callable[[Evidence], bool] = _no_dead
    expected_text: str = "none dead"
    #: Bound on the recovery.
    quiet_within_s: float = 60
    photos: int = 96
    #: Called before the album is handed to the fleet.
    prepare: Callable[[Run], None] = lambda _: None


def _kill_workers(run: Run) -> None:
    for victim in ("worker-1", "worker-2", "worker-1"):
        run.wait_for_work()
        time.sleep(run.random.uniform(0, 0.4))  # the moment is what varies between runs
        run.strike(lambda: run.scene.fleet.kill(victim))  # noqa: B023  called at once
        run.scene.fleet.revive()
        if run.scene.oracle.is_quiet(run.album_id, len(run.listed)):
            return


def _add_doomed(failpoint: str) -> Callable[[Run], None]:
    """Add a worker that will die at this place, beside two healthy ones."""

    def prepare(run: Run) -> None:
        if run.armed:
            run.scene.fleet.start("worker-3", failpoints=f"{failpoint}=kill")
            run.scene.fleet.wait_for_log("worker-3", "worker started")

    return prepare


def _wait_for_doomed(run: Run) -> None:
    if run.armed:
        run.scene.fleet.members["worker-3"].process.wait(60)
        run.strike(run.scene.fleet.note_exits)


def _kill_dispatcher(run: Run) -> None:
    run.wait_for_work()
    run.strike(lambda: run.scene.fleet.kill("dispatcher"))


def _kill_api(run: Run) -> None:
    """The api owns the embedded gallery: it is away until the supervisor starts it again."""
    run.wait_for_work()
    run.strike(lambda: run.scene.fleet.kill("api"))
    time.sleep(3 * run.armed)  # an outage has a length


def _kill_everything(run: Run) -> None:
    scene = run.scene

    def strike() -> None:
        scene.fleet.kill(*NAMES)
        scene.redis.kill()
        scene.postgres.kill()
        scene.postgres.restart()
        scene.redis.start()

    run.wait_for_work()
    run.strike_server(strike)


def _restart_redis(run: Run) -> None:
    def strike() -> None:
        run.scene.redis.kill()
        run.scene.redis.start()

    run.wait_for_work()
    run.strike_server(strike)


def _empty_redis(run: Run) -> None:
    run.wait_for_work()
    run.strike_server(run.scene.redis.restart_empty)


def _half_open_redis(run: Run) -> None:
    """Connections stay open and swallow everything; new ones too, for a while."""
    run.wait_for_work()
    run.poison(run.scene.redis_proxy, Toxic("timeout"))
    time.sleep(5 * run.armed)
    run.heal()


def _kill_postgres(run: Run) -> None:
    def strike() -> None:
        run.scene.postgres.kill()
        run.scene.postgres.restart()

    run.wait_for_work()
    run.strike_server(strike)


def _s3(toxic: Toxic) -> Callable[[Run], None]:
    def storm(run: Run) -> None:
        run.poison(run.scene.s3_proxy, toxic)
        run.wait_for_work(indexed=run.photos // 2)
        run.heal()

    return storm


def _s3_refuses(status: int, code: str) -> Callable[[Run], None]:
    """The objects 000x are listed and not handed out."""

    def storm(run: Run) -> None:
        run.poison(run.scene.s3_proxy, Toxic("http", amount=status, code=code, match=b"/000"))
        run.wait_for_quiet(60)
        run.heal()

    return storm


def _freeze_worker(run: Run) -> None:
    """Frozen for longer than its lease; another one has done its photos when it wakes."""
    fleet = run.scene.fleet
    if run.armed:  # whatever is leased from here on is the victim's
        fleet.signal("worker-2", signal.SIGTERM)
        fleet.members["worker-2"].process.wait(20)
        run.wait_for_work()
        run.strike(lambda: fleet.signal("worker-1", signal.SIGSTOP))
        run.wait_for_quiet(60)
        fleet.signal("worker-1", signal.SIGCONT)
        fleet.wait_for_log("worker-1", "finish refused", 30)


def _drain_worker(run: Run) -> None:
    fleet = run.scene.fleet
    run.wait_for_work()
    run.strike(lambda: fleet.signal("worker-1", signal.SIGTERM))
    if run.armed:
        fleet.members["worker-1"].process.wait(20)


def _poison_photo(run: Run) -> None:
    """Every worker that begins with photo 0007 of this album dies."""
    fleet = run.scene.fleet
    if run.armed:
        run.strike(lambda: None)
        planted = fleet.settings["failpoints"]
        fleet.settings["failpoints"] = f"before_photo@{run.album}/0007=kill"
        fleet.kill("worker-1", "worker-2")
        try:
            run.wait_for_quiet(120)
        finally:
            fleet.settings["failpoints"] = planted


def _purge_album(run: Run) -> None:
    """Delete the album under the workers' hands, and look again after the longest lease."""
    run.wait_for_work()
    run.strike(run.delete_album)
    if run.armed:
        run.listed = []
        time.sleep(float(run.scene.fleet.settings["lease_s"]) + 2)  # a zombie could write until then


def _wipe_gallery(run: Run) -> None:
    """Lose the whole gallery half-way; the reconciler finds what is missing, the photos give it back."""
    fleet = run.scene.fleet

    def strike() -> None:
        fleet.kill("api")
        shutil.rmtree(run.scene.home / "data" / "gallery")
        fleet.kill("dispatcher")
        fleet.start("dispatcher", reconcile_interval_s="1")

    run.wait_for_work(indexed=run.photos // 2)
    run.strike_server(strike)
    if run.armed:
        run.scene.wait_until_ready()
        fleet.wait_for_log("dispatcher", "gallery mended", 60)
        run.wait_until_whole(60)


def _refused_with(reason: str) -> Callable[[Evidence], bool]:
    return lambda evidence: dict(evidence.verdict.dead) == {reason: 10}


def _worker_kills(evidence: Evidence) -> int:
    """A worker was killed, and a lease of its own ran out."""
    return min(evidence.exits["worker", _KILLED], evidence.verdict.crashed)


def _kills_of(role: str) -> Callable[[Evidence], int]:
    return lambda evidence: evidence.exits[role, _KILLED] if evidence.leases_at_fault else 0


def _server_strikes(evidence: Evidence) -> int:
    return evidence.servers_struck if evidence.leases_at_fault else 0


def _hits_of(verb: str) -> Callable[[Evidence], int]:
    return lambda evidence: evidence.hits[verb]


ROWS = (
    Row("SIGKILL of a worker mid-batch, at random moments", _kill_workers, _worker_kills),
    Row(
        "SIGKILL between upsert and finish",
        _wait_for_doomed,
        lambda e: min(_worker_kills(e), e.half_done_at_fault),
        prepare=_add_doomed("after_upsert"),
    ),
    Row("SIGKILL between claim and read", _wait_for_doomed, _worker_kills, prepare=_add_doomed("after_claim")),
    Row("SIGKILL of the dispatcher", _kill_dispatcher, _kills_of("dispatcher")),
    Row(
        "SIGKILL of the api, which owns the gallery",
        _kill_api,
        _kills_of("api"),
        _no_attempt_burnt,
        "none dead, no attempt burnt",
    ),
    Row("everything killed at once, cold start", _kill_everything, _server_strikes),
    Row("Redis: SIGKILL, restart with its AOF", _restart_redis, _server_strikes),
    Row("Redis: restarted empty", _empty_redis, _server_strikes),
    Row("PostgreSQL: SIGKILL and restart", _kill_postgres, _server_strikes),
    Row("S3: 503 on 20% of the requests", _s3(Toxic("http", 0.2, 503, code="SlowDown")), _hits_of("http")),
    Row("S3: 1.5 s latency on 30%", _s3(Toxic("latency", 0.3, 1.5)), _hits_of("latency")),
    Row("S3: body cut short on 30%", _s3(Toxic("truncate", 0.3, 20_000, b"GET /chaos/")), _hits_of("truncate")),
    Row("S3: connection reset on 30%", _s3(Toxic("reset", 0.3, 10_000, b"GET /chaos/")), _hits_of("reset")),
    Row(
        "S3: 404 for 10 photos",
        _s3_refuses(404, "NoSuchKey"),
        _hits_of("http"),
        _refused_with("photo_not_found"),
        "those 10 dead: photo_not_found",
    ),
    Row(
        "S3: 403 for 10 photos",
        _s3_refuses(403, "AccessDenied"),
        _hits_of("http"),
        _refused_with("access_denied"),
        "those 10 dead: access_denied",
    ),
    Row(
        "zombie worker: SIGSTOP past its lease, SIGCONT",
        _freeze_worker,
        lambda e: min(e.events["finish refused"], e.verdict.crashed),
    ),
    Row(
        "SIGTERM of a worker during work",
        _drain_worker,
        lambda e: e.exits["worker", 0] if e.leases_at_fault else 0,
        lambda e: _no_attempt_burnt(e) and e.verdict.crashed == 0 and set(e.exits) == {("worker", 0)},
        "0 redeliveries, exit status 0",
    ),
    Row(
        "album deleted while it is indexed",
        _purge_album,
        lambda e: e.leases_at_fault,
        lambda e: e.verdict.indexed == 0 and _no_dead(e),
        "no row and no point, nor after the longest lease",
    ),
    Row(
        "gallery wiped",
        _wipe_gallery,
        lambda e: min(_server_strikes(e), e.events["gallery mended"]),
        expected_text="rebuilt by the reconciler; none dead",
        quiet_within_s=90,
    ),
    Row(
        "a photo that kills every worker",
        _poison_photo,
        lambda e: min(e.exits["worker", _KILLED] - 2, e.verdict.crashed),
        lambda e: dict(e.verdict.dead) == {"crashed_worker": 1},
        "that photo dead: crashed_worker",
        quiet_within_s=120,
        photos=48,
    ),
    Row(
        "Redis: half-open connections for 5 s",
        _half_open_redis,
        _hits_of("timeout"),
        quiet_within_s=90,
        photos=192,
    ),
)
