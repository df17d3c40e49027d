"""What only a process of its own shows: a signal that comes after sessions ended."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facefleet.errors import ModelPackMismatch
from facefleet.recognition.graphs import ModelSource, identity_graph
from facefleet.recognition.model_sessions import OpenVinoSession

IDENTITY = ModelSource("identity", identity_graph)
_OPEN_TWO_CLOSE_THE_FIRST_FIRST = """
import signal
import sys
from pathlib import Path
import numpy as np
from facefleet.recognition.graphs import ModelSource, identity_graph
from facefleet.recognition.model_sessions import OpenVinoSession

model = ModelSource("identity", identity_graph)
sessions = [OpenVinoSession(model, threads=1, kept=Path(sys.argv[1])) for _ in range(2)]
for session in sessions:
    session.run(np.zeros((1, 1, 1, 3), np.uint8))
del session
while sessions:
    del sessions[0]
signal.signal(signal.SIGUSR1, lambda *_: print("alive"))
signal.raise_signal(signal.SIGUSR1)
"""
_ASK_TWICE_AT_ONCE = """
import sys
from threading import Barrier, Thread
from facefleet.recognition.compiled_models import openvino_core

openvino_core()
together = Barrier(2)

def ask():
    from openvino import Type
    together.wait()
    Type.f32.to_dtype()

sys.setswitchinterval(1e-6)
threads = [Thread(target=ask, daemon=True) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("both")
"""


def test_a_signal_is_survived_after_sessions_ended_in_any_order(tmp_path: Path) -> None:
    command = [sys.executable, "-X", "faulthandler", "-c", _OPEN_TWO_CLOSE_THE_FIRST_FIRST, tmp_path]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (ended.returncode, ended.stdout) == (0, "alive\n"), ended.stderr


def test_two_threads_that_infer_for_the_first_time_do_not_wait_for_each_other() -> None:
    """Each inference asks this; without what it guards against, one process in three hangs."""
    command = [sys.executable, "-c", _ASK_TWICE_AT_ONCE]
    begun = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(6)]
    try:
        assert [process.communicate(timeout=60)[0] for process in begun] == [b"both\n"] * 6
    finally:
        for process in begun:
            process.kill()
            process.wait()


@pytest.mark.parametrize("harm", [lambda blob: blob[: len(blob) // 2], lambda _: b"", lambda blob: bytes(len(blob))])
def test_a_damaged_compiled_model_is_compiled_again(tmp_path: Path, harm: Callable[[bytes], bytes]) -> None:
    picture = np.full((1, 2, 2, 3), 7, np.uint8)
    OpenVinoSession(IDENTITY, threads=1, kept=tmp_path).run(picture)
    [kept] = tmp_path.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(harm(whole))
    [answer] = OpenVinoSession(IDENTITY, threads=1, kept=tmp_path).run(picture)
    assert (answer == 7).all()
    [again] = tmp_path.iterdir()
    assert again.stat().st_size == pytest.approx(len(whole), abs=100)


def refuse() -> bytes:
    raise ModelPackMismatch("changed")


def test_a_model_that_was_kept_is_not_made_ready_again(tmp_path: Path) -> None:
    picture = np.full((1, 2, 2, 3), 7, np.uint8)
    OpenVinoSession(IDENTITY, threads=1, kept=tmp_path).run(picture)
    [answer] = OpenVinoSession(ModelSource("identity", refuse), threads=1, kept=tmp_path).run(picture)
    assert (answer == 7).all()
    with pytest.raises(ModelPackMismatch):
        OpenVinoSession(ModelSource("another", refuse), threads=1, kept=tmp_path).run(picture)


def test_where_nothing_can_be_kept_models_run_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    session = OpenVinoSession(IDENTITY, threads=1, kept=tmp_path / "file" / "models")
    [answer] = session.run(np.full((1, 2, 2, 3), 7, np.uint8))
    assert (answer == 7).all()
