"""What is done to the gallery: the embedded one, and the server behind its proxy."""

import re
import shutil
import time
from collections.abc import Callable

from tests.chaos.proxy import Toxic
from tests.chaos.run import Run
from tests.fixtures.processes import FACEFLEET, clean_environment, run_facefleet

UPSERT = b"/points?"


def wipe_embedded(run: Run) -> None:
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
        fleet.end("dispatcher")


def server(toxic: Toxic) -> Callable[[Run], None]:
    def storm(run: Run) -> None:
        run.poison("qdrant", toxic)
        run.wait_for_work(indexed=run.photos // 2)
        run.heal()

    return storm


def server_gone(seconds: float) -> Callable[[Run], None]:
    """Nobody answers; searches say so, and no photo is blamed."""

    def storm(run: Run) -> None:
        scene = run.scene
        run.wait_for_work()
        run.strike_server(scene.qdrant.kill)
        if run.armed:
            scene.proxies["qdrant"].toxic = Toxic("down")
            scene.proxies["qdrant"].cut()
            run.last(seconds)
            probe = scene.drawings[min(scene.drawings)]
            search, jpeg = f"/v1/albums/{run.album}/search", {"content-type": "image/jpeg"}
            answer = scene.http.post(search, content=probe, headers=jpeg, timeout=40)
            run.note("searches told to come back", int(answer.status_code == 503))
            scene.qdrant.restart()
        run.heal()

    return storm


def kill_mid_upsert(run: Run) -> None:
    """Kill the server while upserts wait for their answer, more than once."""
    scene = run.scene
    for _ in range(3):
        run.wait_for_work()
        if not run.armed or run.is_quiet():
            return
        give_up_at_s, cut = time.monotonic() + 15, 0
        scene.proxies["qdrant"].toxic = Toxic("latency", 1, 0.05, UPSERT)
        while not cut and time.monotonic() < give_up_at_s and not run.is_quiet():
            time.sleep(0.01)
            cut = scene.proxies["qdrant"].cut(UPSERT)
        scene.qdrant.kill()
        run.strike_server(lambda: None)
        run.note("upserts cut", cut)
        scene.proxies["qdrant"].toxic = Toxic("down")
        run.last(1)
        scene.qdrant.restart()
        run.heal()


def wipe_server(run: Run) -> None:
    """Lose every collection once the album is indexed, and rebuild it by one command."""
    scene = run.scene
    if run.armed:
        run.wait_for_quiet(60)
        run.strike_server(scene.qdrant.wipe)
        environment = clean_environment(server=scene.url, api_key=scene.key, data_dir=str(scene.home / "client"))
        done = run_facefleet("rebuild", "--album", run.album, env=environment, cwd=scene.home)
        assert done.returncode == 0, (FACEFLEET, done.stderr)
        [again] = re.findall(r": (\d+) photos are indexed again", done.stderr)
        run.note("rebuilt", int(again))
        run.wait_until_whole(60)
