"""Workers whose clock is an hour ahead, an hour behind, or goes backwards: the database's clock is the only one."""

import os
from pathlib import Path

from tests.chaos.fleet import read_log
from tests.chaos.run import Run
from tests.fixtures.processes import wait_until

_LIBRARIES = (
    os.environ.get("FACEFLEET_TEST_FAKETIME", ""),
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
)
LIBRARY = next((each for each in _LIBRARIES if each and Path(each).is_file()), "")
#: For the table.
KIND = "libfaketime" if LIBRARY else "time.time of Python"
_SHIFTED = {"worker-1": "+3600", "worker-2": "-3600", "dispatcher": "+3600"}


def shift_clocks(run: Run) -> None:
    """Start workers and dispatcher anew with wrong clocks; half-way those that are ahead go two hours back."""
    fleet, home = run.scene.fleet, run.scene.home
    files = {name: home / f"clock-{name}" for name in _SHIFTED}
    if not run.armed:
        return
    fleet.end(*_SHIFTED)
    for name, offset in _SHIFTED.items():
        files[name].write_text(offset)
        fleet.start(name, environment=_environment(files[name]))
    for name in _SHIFTED:
        wait_until(lambda: _offsets(run, name) != [], f"{name} tells its clock", 30)  # noqa: B023  called at once
    run.submit()
    run.wait_for_work()
    before = {name: len(_offsets(run, name)) for name in ("worker-1", "dispatcher")}
    run.strike(lambda: [files[name].write_text("-3600") for name in before] and None)
    for name, told in before.items():
        wait_until(lambda: len(_offsets(run, name)) > told, f"the clock of {name} goes back", 30)  # noqa: B023  the same
    run.wait_for_quiet(60)
    run.note("clocks seen an hour off", sum(abs(off) > 3000 for name in _SHIFTED for off in _offsets(run, name)))
    fleet.end(*_SHIFTED)


def _offsets(run: Run, name: str) -> list[float]:
    """List what a process told of its clock, beside that of the kernel."""
    return [float(line["off_by_s"]) for line in read_log(run.scene.fleet.members[name].log) if "off_by_s" in line]


def _environment(file: Path) -> dict[str, str]:
    told = {"PYTHONPATH": str(Path(__file__).parents[1] / "shifted_clock"), "CHAOS_CLOCK": str(file)}
    if not LIBRARY:
        return told
    # Waits and timeouts go by the monotonic clock, which no operator can set.
    unfaked = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
    reading = {"FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1"}
    return told | unfaked | reading | {"LD_PRELOAD": LIBRARY}
