"""What only a process of its own shows: a signal that comes after sessions ended."""

import subprocess
import sys

_OPEN_TWO_CLOSE_THE_FIRST_FIRST = """
import signal
import numpy as np
from facefleet.recognition.graphs import identity_graph
from facefleet.recognition.runtimes import OpenVinoSession

sessions = [OpenVinoSession(identity_graph(), threads=1) for _ in range(2)]
for session in sessions:
    session.run(np.zeros((1, 3, 1, 1), np.uint8))
del session
while sessions:
    del sessions[0]
signal.signal(signal.SIGUSR1, lambda *_: print("alive"))
signal.raise_signal(signal.SIGUSR1)
"""


def test_a_signal_is_survived_after_sessions_ended_in_any_order() -> None:
    command = [sys.executable, "-X", "faulthandler", "-c", _OPEN_TWO_CLOSE_THE_FIRST_FIRST]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (ended.returncode, ended.stdout) == (0, "alive\n"), ended.stderr
