"""Rows in which Redis, the database, S3, the gallery or a disk does not do what it should."""

from tests.chaos.profile import AWAY_S
from tests.chaos.proxy import Toxic
from tests.chaos.qdrant import KIND as QDRANT
from tests.chaos.row import (
    Row,
    hits_of,
    no_attempt_burnt,
    none_dead,
    refused_with,
    saw,
    server_strikes,
)
from tests.chaos.run import Evidence
from tests.chaos.storms import disks, gallery, servers
from tests.chaos.storms.processes import count_exits

_GET = b"GET /chaos/"


def _kept_working(evidence: Evidence) -> bool:
    """Consumers went on by themselves."""
    return none_dead(evidence) and not count_exits(evidence.exits, "worker")


def _waited(evidence: Evidence) -> bool:
    """Nothing was burnt, nothing ended, and the database is whole."""
    seen = evidence.seen
    whole = seen["database intact"] and seen["still the same process"] and seen["told to come back"]
    return none_dead(evidence) and evidence.verdict.redeliveries == 0 and bool(whole)


REDIS = (
    Row("Redis: SIGKILL, restart with its AOF", servers.restart_redis, server_strikes),
    Row("Redis: restarted empty", servers.empty_redis, lambda e: min(server_strikes(e), e.seen["keys lost"])),
    Row(
        f"Redis: away for {AWAY_S} s while photos come in",
        servers.redis_away(AWAY_S),
        lambda e: min(server_strikes(e), e.seen["accepted without Redis"]),
        _kept_working,
        "48 photos accepted meanwhile; no worker restarted",
    ),
    Row(
        "Redis: half-open connections for 5 s",
        servers.half_open_redis,
        hits_of("timeout"),
        quiet_within_s=90,
        photos=192,
    ),
)
POSTGRES = (
    Row("PostgreSQL: SIGKILL and restart", servers.kill_postgres, server_strikes),
    Row("PostgreSQL: every connection taken for 8 s", servers.exhaust_connections, saw("refused"), photos=192),
)
SQLITE = (
    Row(
        "SQLite: locked for 32 s",
        servers.lock_sqlite,
        saw("seconds without a commit"),
        no_attempt_burnt,
        "none dead, no attempt burnt",
        kind="one",
    ),
)
S3 = (
    Row("S3: 503 on 20% of the requests", servers.s3(Toxic("http", 0.2, 503, code="SlowDown")), hits_of("http")),
    Row("S3: 500 on 20% of the requests", servers.s3(Toxic("http", 0.2, 500)), hits_of("http")),
    Row("S3: 2 s latency on 30%", servers.s3(Toxic("latency", 0.3, 2)), hits_of("latency")),
    Row("S3: 10% never answered", servers.s3(Toxic("timeout", 0.1, match=_GET)), hits_of("timeout")),
    Row("S3: body cut short on 30%", servers.s3(Toxic("truncate", 0.3, 20_000, _GET)), hits_of("truncate")),
    Row("S3: connection reset on 30%", servers.s3(Toxic("reset", 0.3, 10_000, _GET)), hits_of("reset")),
    Row(
        "S3: 404 for 10 photos",
        servers.s3_refuses(404, "NoSuchKey"),
        lambda e: e.hits["http"] // 3,
        refused_with("photo_not_found"),
        "those 10 dead after 3 attempts: photo_not_found",
    ),
    Row(
        "S3: 403 for 10 photos",
        servers.s3_refuses(403, "AccessDenied"),
        lambda e: e.hits["http"] // 3,
        refused_with("access_denied"),
        "those 10 dead after 3 attempts: access_denied",
    ),
)
EMBEDDED_GALLERY = (
    Row(
        "gallery wiped (embedded)",
        gallery.wipe_embedded,
        lambda e: min(server_strikes(e), e.events["gallery mended"]),
        expected_text="rebuilt by the reconciler; none dead",
        quiet_within_s=90,
    ),
)
QDRANT_SERVER = (
    Row(
        f"Qdrant: gone for {AWAY_S} s ({QDRANT})",
        gallery.server_gone(AWAY_S),
        lambda e: min(server_strikes(e), e.hits["down"]),
        lambda e: no_attempt_burnt(e) and e.seen["searches told to come back"] == 1,
        "no attempt burnt; searches answered 503",
        kind="qdrant",
    ),
    Row(
        f"Qdrant: killed mid-upsert ({QDRANT})",
        gallery.kill_mid_upsert,
        saw("upserts cut"),
        no_attempt_burnt,
        "no attempt burnt",
        kind="qdrant",
    ),
    Row(
        f"Qdrant: 500 on 20% of the requests ({QDRANT})",
        gallery.server(Toxic("http", 0.2, 500)),
        hits_of("http"),
        no_attempt_burnt,
        "no attempt burnt",
        kind="qdrant",
    ),
    Row(
        f"Qdrant: answers to upserts lost on 30% ({QDRANT})",
        gallery.server(Toxic("reset", 0.3, 0, gallery.UPSERT)),
        hits_of("reset"),
        no_attempt_burnt,
        "no attempt burnt",
        kind="qdrant",
    ),
    Row(
        f"Qdrant: wiped ({QDRANT})",
        gallery.wipe_server,
        lambda e: e.seen["rebuilt"],
        expected_text="rebuilt by `facefleet rebuild`; none dead",
        kind="qdrant",
    ),
)
DISKS = tuple(
    Row(
        f"disk full under {what}",
        disks.fill(name),
        saw("seconds without a photo") if name != "temp" else saw("told to come back"),
        _waited,
        "503 meanwhile, then all of it; database intact",
        kind="one",
        photos=144,
    )
    for name, what in (("ledger", "the ledger (SQLite)"), ("gallery", "the embedded gallery"), ("temp", "uploads"))
)
