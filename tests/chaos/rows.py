"""The matrix: what is done, how it is proven to have landed, and what is expected besides."""

import signal
from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos import storms
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
    Row("SIGKILL of a worker mid-batch, at random moments", storms.kill_workers, _worker_kills),
    Row(
        "SIGKILL between upsert and finish",
        storms.wait_for_doomed,
        lambda e: min(_worker_kills(e), e.half_done_at_fault),
        prepare=storms.add_doomed("after_upsert"),
    ),
    Row(
        "SIGKILL between claim and read",
        storms.wait_for_doomed,
        _worker_kills,
        prepare=storms.add_doomed("after_claim"),
    ),
    Row("SIGKILL of the dispatcher", storms.kill_dispatcher, _kills_of("dispatcher")),
    Row(
        "SIGKILL of the api, which owns the gallery",
        storms.kill_api,
        _kills_of("api"),
        _no_attempt_burnt,
        "none dead, no attempt burnt",
    ),
    Row("everything killed at once, cold start", storms.kill_everything, _server_strikes),
    Row("Redis: SIGKILL, restart with its AOF", storms.restart_redis, _server_strikes),
    Row("Redis: restarted empty", storms.empty_redis, _server_strikes),
    Row("PostgreSQL: SIGKILL and restart", storms.kill_postgres, _server_strikes),
    Row("S3: 503 on 20% of the requests", storms.s3(Toxic("http", 0.2, 503, code="SlowDown")), _hits_of("http")),
    Row("S3: 1.5 s latency on 30%", storms.s3(Toxic("latency", 0.3, 1.5)), _hits_of("latency")),
    Row("S3: body cut short on 30%", storms.s3(Toxic("truncate", 0.3, 20_000, b"GET /chaos/")), _hits_of("truncate")),
    Row("S3: connection reset on 30%", storms.s3(Toxic("reset", 0.3, 10_000, b"GET /chaos/")), _hits_of("reset")),
    Row(
        "S3: 404 for 10 photos",
        storms.s3_refuses(404, "NoSuchKey"),
        _hits_of("http"),
        _refused_with("photo_not_found"),
        "those 10 dead: photo_not_found",
    ),
    Row(
        "S3: 403 for 10 photos",
        storms.s3_refuses(403, "AccessDenied"),
        _hits_of("http"),
        _refused_with("access_denied"),
        "those 10 dead: access_denied",
    ),
    Row(
        "zombie worker: SIGSTOP past its lease, SIGCONT",
        storms.freeze_worker,
        lambda e: min(e.events["finish refused"], e.verdict.crashed),
    ),
    Row(
        "SIGTERM of a worker during work",
        storms.drain_worker,
        lambda e: e.exits["worker", 0] if e.leases_at_fault else 0,
        lambda e: _no_attempt_burnt(e) and e.verdict.crashed == 0 and set(e.exits) == {("worker", 0)},
        "0 redeliveries, exit status 0",
    ),
    Row(
        "album deleted while it is indexed",
        storms.purge_album,
        lambda e: e.leases_at_fault,
        lambda e: e.verdict.indexed == 0 and _no_dead(e),
        "no row and no point, nor after the longest lease",
    ),
    Row(
        "gallery wiped",
        storms.wipe_gallery,
        lambda e: min(_server_strikes(e), e.events["gallery mended"]),
        expected_text="rebuilt by the reconciler; none dead",
        quiet_within_s=90,
    ),
    Row(
        "a photo that kills every worker",
        storms.poison_photo,
        lambda e: min(e.exits["worker", _KILLED] - 2, e.verdict.crashed),
        lambda e: dict(e.verdict.dead) == {"crashed_worker": 1},
        "that photo dead: crashed_worker",
        quiet_within_s=120,
        photos=48,
    ),
    Row(
        "Redis: half-open connections for 5 s",
        storms.half_open_redis,
        _hits_of("timeout"),
        quiet_within_s=90,
        photos=192,
    ),
)
