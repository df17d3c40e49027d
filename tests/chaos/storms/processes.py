"""What is done to the fleet's own processes while it indexes an album."""

import signal
import time
from collections import Counter
from collections.abc import Callable

import sqlalchemy as sa

from tests.chaos.fleet import MORTAL, NAMES
from tests.chaos.run import Run
from tests.fixtures.processes import wait_until


def kill_workers(run: Run) -> None:
    for victim in ("worker-1", "worker-2", "worker-1"):
        run.wait_for_work()
        time.sleep(run.random.uniform(0, 0.4) * run.armed)  # the moment is what varies between runs
        run.strike(lambda: run.scene.fleet.kill(victim))  # noqa: B023  called at once
        run.scene.fleet.revive()
        if run.is_quiet():
            return


def kill_half(run: Run) -> None:
    """One of two workers goes without notice, and nobody takes its place."""
    fleet = run.scene.fleet
    of_one = int(fleet.settings["worker_threads"]) * int(fleet.settings["photos_per_message"])
    run.wait_for_work(leases=of_one + 1)  # the one that stays cannot have them all
    run.strike(lambda: fleet.kill("worker-1"))
    if run.armed:
        wait_until(run.is_quiet, "the other half is done", 60)
        run.quiet_at_s = time.monotonic()


def add_doomed(failpoint: str) -> Callable[[Run], None]:
    """Add a worker that will die at this place, beside two healthy ones."""

    def prepare(run: Run) -> None:
        if run.armed:
            run.scene.fleet.start("worker-3", failpoints=f"{failpoint}=kill")
            run.scene.fleet.wait_for_log("worker-3", "worker started")

    return prepare


def wait_for_doomed(run: Run) -> None:
    if run.armed:
        run.scene.fleet.members["worker-3"].process.wait(60)
        run.strike(run.scene.fleet.note_exits)


def kill_dispatcher(run: Run) -> None:
    run.wait_for_work()
    run.strike(lambda: run.scene.fleet.kill("dispatcher"))


def kill_api(run: Run) -> None:
    """The api owns the embedded gallery: it is away until the supervisor starts it again."""
    run.wait_for_work()
    run.strike(lambda: run.scene.fleet.kill("api"))
    run.last(3)


def kill_one_process(run: Run) -> None:
    """All four roles at once: they are one process."""
    run.wait_for_work()
    run.strike(lambda: run.scene.fleet.kill("up"))


def kill_everything(run: Run) -> None:
    scene = run.scene

    def strike() -> None:
        scene.fleet.kill(*NAMES)
        scene.redis.kill()
        scene.postgres.kill()
        scene.postgres.restart()
        scene.redis.start()

    run.wait_for_work()
    run.strike_server(strike)


def freeze_worker(run: Run) -> None:
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


def drain_worker(run: Run) -> None:
    run.wait_for_work()
    run.strike(lambda: run.scene.fleet.end("worker-1"))


def churn(run: Run) -> None:
    """From two workers to ten and down to one, while photos are in work; each one leaves cleanly."""
    fleet = run.scene.fleet
    names = [f"worker-{number}" for number in range(3, 11)]
    if not run.armed:
        return
    for name in names:
        fleet.start(name)
    for name in names:
        fleet.wait_for_log(name, "worker started")
    for number, leaving in enumerate((names[:4], [*names[4:], "worker-1"])):
        run.scene.upload(run.album, 96, first=run.photos + 96 * number)
        run.look()
        run.submit()
        run.wait_for_work(indexed=run.count_indexed() + 8)
        run.strike(lambda: fleet.end(*leaving))  # noqa: B023  called at once
        run.note("drained", len(leaving))


def add_mortal(run: Run) -> None:
    """Have workers die of one photo of this album."""
    if run.armed:
        drawing = min(run.scene.drawings)
        run.scene.put(f"{run.album}/{MORTAL}-{drawing}", run.scene.drawings[drawing])


def die_of_photo(run: Run) -> None:
    """Start again every worker that begins with it and dies."""
    if run.armed:
        run.strike(lambda: None)
        run.wait_for_quiet(120)


def purge_album(run: Run) -> None:
    """Delete the album under the workers' hands, and look again after the longest lease."""
    run.wait_for_work()
    run.strike(run.delete_album)
    if run.armed:
        run.listed = []
        run.quiet_at_s = time.monotonic()
        time.sleep(float(run.scene.fleet.settings["lease_s"]) + 2)  # a zombie could write until then


_NEWER = (
    "ALTER TABLE photo ADD COLUMN of_a_newer_release text",
    "CREATE TABLE of_a_newer_release (id integer PRIMARY KEY, photo_id uuid REFERENCES photo (id) ON DELETE CASCADE)",
    "UPDATE alembic_version SET version_num = '9999'",
)


def upgrade(run: Run) -> None:
    """Bring the tables one release ahead under running workers; then, as if the new release were out, restart each."""
    scene, fleet = run.scene, run.scene.fleet
    with scene.oracle.database.reading() as connection:
        present = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()

    def change(*statements: str) -> None:
        with scene.oracle.database.writing() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))

    run.wait_for_work()
    run.strike(lambda: change(*_NEWER))
    before = run.count_indexed()
    if run.armed:
        wait_until(lambda: run.count_indexed() >= before + 8, "old workers go on", 30)
        run.note("indexed by the old release on newer tables", run.count_indexed() - before)
        change(f"UPDATE alembic_version SET version_num = '{present}'")
        for name in ("worker-1", "worker-2", "dispatcher", "api"):
            fleet.end(name)
            fleet.start(name)
            run.note("restarted")
        change("DROP TABLE of_a_newer_release", "ALTER TABLE photo DROP COLUMN of_a_newer_release")
        run.harmed_at_s = time.monotonic()


def count_exits(exits: Counter[tuple[str, int]], role: str) -> int:
    """Count how often processes of a role ended, however."""
    return sum(times for (ended, _), times in exits.items() if ended == role)
