"""Imported by a Python that is to have a wrong clock: shifts `time.time` where no library does; tells the offset."""

import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

_clock = Path(os.environ["CHAOS_CLOCK"])
_true_time, _true_time_ns = time.time, time.time_ns


def _offset_s() -> int:
    return int(_clock.read_text() or 0)


# libfaketime breaks `clock_nanosleep` with a monotonic deadline; locks are not touched by it.
time.sleep = lambda seconds: bool(threading.Event().wait(seconds)) and None
if "LD_PRELOAD" not in os.environ:
    time.time = lambda: _true_time() + _offset_s()
    time.time_ns = lambda: _true_time_ns() + _offset_s() * 1_000_000_000


def _tell() -> None:
    """Compare with the kernel's clock, which stamps files, whenever the difference changes."""
    told = 0.0
    while True:
        with tempfile.NamedTemporaryFile() as fresh:
            off_by_s = time.time() - os.stat(fresh.name).st_mtime  # noqa: PTH116  before pathlib is patched by anybody
        if abs(off_by_s - told) > 60:
            told = off_by_s
            print(json.dumps({"event": "clock seen", "off_by_s": round(off_by_s)}), file=sys.stderr, flush=True)
        time.sleep(0.3)


threading.Thread(target=_tell, daemon=True).start()
