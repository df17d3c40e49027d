"""A disk without a byte left, under the ledger, the gallery or what is temporary."""

import time
from collections.abc import Callable

from tests.chaos.run import Run
from tests.chaos.storms.servers import database_is_intact

_JPEG = {"content-type": "image/jpeg"}


def fill(name: str) -> Callable[[Run], None]:
    """Fill one disk for some seconds, and see that photos wait, and that who asks is told to come back."""

    def storm(run: Run) -> None:
        disk, fleet = run.scene.disks[name], run.scene.fleet
        run.wait_for_work()
        if not run.armed:
            return
        pid = fleet.pids()["up"]
        run.scene.create_album(f"{run.album}-late")
        run.strike(lambda: disk.fill(pid))
        try:
            # A write-ahead log may be begun anew in the room that it has; what is new needs more in the end.
            until_s, stalled = time.monotonic() + 20, name == "temp"
            while not stalled and time.monotonic() < until_s:
                before = run.count_indexed()
                run.last(3)
                stalled = run.count_indexed() == before
            run.note("seconds without a photo", 3 * stalled * disk.is_full())
            run.note("told to come back", sum(_ask(run, name, number) == 503 for number in range(3)))
        finally:
            disk.free(pid)
        run.harmed_at_s = time.monotonic()
        run.wait_for_quiet(60)
        run.note("database intact", int(database_is_intact(run)))
        run.note("still the same process", int(fleet.pids().get("up") == pid))

    return storm


def _ask(run: Run, name: str, number: int) -> int:
    """Ask for what needs the disk: readiness for the gallery, an upload for the others."""
    if name == "gallery":
        return run.scene.http.get("/readyz", timeout=40).status_code
    upload = f"/v1/albums/{run.album}-late/photos?name={number}.jpg"
    return run.scene.http.post(upload, content=bytes([number]) * 2_500_000, headers=_JPEG, timeout=60).status_code
