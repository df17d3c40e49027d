"""What is done to Redis, the database and S3 while an album is indexed."""

import json
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import psycopg
import sqlalchemy as sa

from tests.chaos.proxy import Toxic
from tests.chaos.run import Run
from tests.chaos.scene import BUCKET
from tests.fixtures.processes import wait_until
from tests.fixtures.sqs import count_messages


def restart_redis(run: Run) -> None:
    def strike() -> None:
        run.scene.redis.kill()
        run.scene.redis.start()

    run.wait_for_work()
    run.strike_server(strike)


def empty_redis(run: Run) -> None:
    run.wait_for_work()
    run.strike_server(lambda: run.note("keys lost", run.scene.redis.restart_empty()))


def redis_away(seconds: float) -> Callable[[Run], None]:
    """Redis is gone; photos come in all the while, and are accepted."""

    def storm(run: Run) -> None:
        run.wait_for_work()
        run.strike_server(run.scene.redis.kill)
        if run.armed:
            back_at_s = time.monotonic() + seconds
            for part in range(4):
                run.scene.upload(run.album, 12, first=run.photos + 12 * part)
                run.note("accepted without Redis", 12 * (run.scene.index(run.album) == 202))
            time.sleep(max(0.0, back_at_s - time.monotonic()))
            run.look()
            run.scene.redis.start()
            run.harmed_at_s = time.monotonic()

    return storm


def half_open_redis(run: Run) -> None:
    """Connections stay open and swallow everything; new ones too, for a while."""
    run.wait_for_work()
    run.poison("redis", Toxic("timeout"))
    run.last(5)
    run.heal()


def kill_postgres(run: Run) -> None:
    def strike() -> None:
        run.scene.postgres.kill()
        run.scene.postgres.restart()

    run.wait_for_work()
    run.strike_server(strike)


def exhaust_connections(run: Run) -> None:
    """Somebody else takes every connection that PostgreSQL has, and those of the fleet are ended."""
    url, log = run.scene.postgres.url, run.scene.postgres.home / "log"
    run.wait_for_work()
    with ExitStack() as stack:

        def take_all() -> None:
            mine = f"{url}?application_name=chaos"
            first = stack.enter_context(closing(psycopg.connect(mine, autocommit=True)))
            for _ in range(4):  # between the end of theirs and the last of ours they come back
                first.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE backend_type = 'client backend' AND application_name <> 'chaos'"
                )
                with suppress(psycopg.OperationalError):
                    while True:
                        stack.enter_context(closing(psycopg.connect(mine, connect_timeout=5)))

        refused = log.read_text(errors="replace").count("too many clients")
        run.strike_server(take_all)
        run.last(8)
        run.note("refused", max(0, log.read_text(errors="replace").count("too many clients") - refused - 4))
    run.harmed_at_s = time.monotonic()


def lock_sqlite(run: Run) -> None:
    """Another program holds the write lock for longer than anybody waits for it."""
    file = run.scene.disks["ledger"].path / "ledger.sqlite3"
    run.wait_for_work()
    if run.armed:
        with closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as other:
            before = run.count_indexed()
            run.strike(lambda: _execute(other, "BEGIN IMMEDIATE"))
            before = run.count_indexed()
            run.last(32)
            run.note("seconds without a commit", 32 * (run.count_indexed() == before))
            other.execute("ROLLBACK")
        run.harmed_at_s = time.monotonic()


def _execute(connection: sqlite3.Connection, statement: str) -> None:
    connection.execute(statement)


def database_is_intact(run: Run) -> bool:
    """Ask SQLite."""
    with run.scene.oracle.database.reading() as connection:
        return bool(connection.execute(sa.text("PRAGMA integrity_check")).scalar_one() == "ok")


def s3(toxic: Toxic) -> Callable[[Run], None]:
    def storm(run: Run) -> None:
        run.poison("s3", toxic)
        run.wait_for_work(indexed=run.photos // 2)
        run.heal()

    return storm


def s3_refuses(status: int, code: str) -> Callable[[Run], None]:
    """The objects 000x are listed and not handed out."""

    def storm(run: Run) -> None:
        run.poison("s3", Toxic("http", amount=status, code=code, match=b"/000"))
        if run.armed:
            run.wait_for_quiet(60)
        run.heal()

    return storm


def listen_to_events(run: Run) -> None:
    """Have the bucket's events read by a dispatcher that dies between the commit and the queue."""
    scene, fleet = run.scene, run.scene.fleet
    if not run.armed:
        return
    attributes = {"VisibilityTimeout": "2"}
    queue = scene.sqs.create_queue(QueueName=f"{run.album}-{scene.home.name}", Attributes=attributes)["QueueUrl"]
    fleet.settings |= {
        "s3_events_queue_url": queue,
        "s3_events_buckets": BUCKET,
        "sqs_endpoint_url": scene.sqs.meta.endpoint_url,
    }
    fleet.end("dispatcher")
    fleet.start("dispatcher", failpoints="after_ingest_commit=kill")


def send_events(run: Run) -> None:
    """Tell of every photo, as S3 does: eight in a message, nobody asks for the album to be indexed."""
    queue = run.scene.fleet.settings["s3_events_queue_url"]
    for start in range(0, len(run.listed), 8):
        records = [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "eventTime": "2026-01-01T00:00:00.000Z",
                "s3": {
                    "bucket": {"name": BUCKET},
                    "object": {
                        "key": each.uri.removeprefix(f"s3://{BUCKET}/"),
                        "eTag": each.etag,
                        "size": 1,
                        "sequencer": "0055AED6DCD90281E5",
                    },
                },
            }
            for each in run.listed[start : start + 8]
        ]
        run.scene.sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"Records": records}))


def die_after_commit(run: Run) -> None:
    """Look at what the dead dispatcher left: rows whose message is still in the queue."""
    scene, fleet = run.scene, run.scene.fleet
    if run.armed:
        queue = fleet.settings["s3_events_queue_url"]
        fleet.members["dispatcher"].process.wait(40)
        rows, messages = len(scene.oracle.rows(run.album_id)), count_messages(scene.sqs, queue)
        run.note("entered and still in the queue", rows * (messages == len(run.listed) // 8))
        run.strike(fleet.note_exits)
        run.wait_for_quiet(60)
        wait_until(lambda: count_messages(scene.sqs, queue) == 0, "the queue is empty", 30)
    for name in ("s3_events_queue_url", "s3_events_buckets", "sqs_endpoint_url"):
        fleet.settings.pop(name, None)
    if run.armed:
        fleet.end("dispatcher")


def run_command(command: list[str | Path], environment: dict[str, str]) -> str:
    """Run one command to its end and return what it says."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr
