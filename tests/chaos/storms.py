"""What is done to the fleet while it indexes an album."""

import shutil
import signal
import time
from collections.abc import Callable

from tests.chaos.fleet import NAMES
from tests.chaos.proxy import Toxic
from tests.chaos.scene import Run


def kill_workers(run: Run) -> None:
    for victim in ("worker-1", "worker-2", "worker-1"):
        run.wait_for_work()
        time.sleep(run.random.uniform(0, 0.4))  # the moment is what varies between runs
        run.strike(lambda: run.scene.fleet.kill(victim))  # noqa: B023  called at once
        run.scene.fleet.revive()
        if run.scene.oracle.is_quiet(run.album_id, len(run.listed)):
            return


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
    time.sleep(3 * run.armed)  # an outage has a length


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


def restart_redis(run: Run) -> None:
    def strike() -> None:
        run.scene.redis.kill()
        run.scene.redis.start()

    run.wait_for_work()
    run.strike_server(strike)


def empty_redis(run: Run) -> None:
    run.wait_for_work()
    run.strike_server(run.scene.redis.restart_empty)


def half_open_redis(run: Run) -> None:
    """Connections stay open and swallow everything; new ones too, for a while."""
    run.wait_for_work()
    run.poison(run.scene.redis_proxy, Toxic("timeout"))
    time.sleep(5 * run.armed)
    run.heal()


def kill_postgres(run: Run) -> None:
    def strike() -> None:
        run.scene.postgres.kill()
        run.scene.postgres.restart()

    run.wait_for_work()
    run.strike_server(strike)


def s3(toxic: Toxic) -> Callable[[Run], None]:
    def storm(run: Run) -> None:
        run.poison(run.scene.s3_proxy, toxic)
        run.wait_for_work(indexed=run.photos // 2)
        run.heal()

    return storm


def s3_refuses(status: int, code: str) -> Callable[[Run], None]:
    """The objects 000x are listed and not handed out."""

    def storm(run: Run) -> None:
        run.poison(run.scene.s3_proxy, Toxic("http", amount=status, code=code, match=b"/000"))
        run.wait_for_quiet(60)
        run.heal()

    return storm


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
    fleet = run.scene.fleet
    run.wait_for_work()
    run.strike(lambda: fleet.signal("worker-1", signal.SIGTERM))
    if run.armed:
        fleet.members["worker-1"].process.wait(20)


def poison_photo(run: Run) -> None:
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


def purge_album(run: Run) -> None:
    """Delete the album under the workers' hands, and look again after the longest lease."""
    run.wait_for_work()
    run.strike(run.delete_album)
    if run.armed:
        run.listed = []
        time.sleep(float(run.scene.fleet.settings["lease_s"]) + 2)  # a zombie could write until then


def wipe_gallery(run: Run) -> None:
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
