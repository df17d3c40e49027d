"""The real console script in real processes, embedded and beside a running server, with the bundled pack."""

import json
import shutil
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from demo.album import draw_album
from tests.fixtures.processes import Processes, clean_environment, run_facefleet, wait_until

PHOTOS = 6
#: Python loads it first: it tells of changes of the environment that threads of native code may be reading.
TELL_TALE = """
import os, threading
def telling(change):
    def call(name, *value):
        if threading.active_count() > 1:
            os.write(2, b"changed beside threads: " + os.fsencode(name) + b"\\n")
        change(name, *value)
    return call
os.putenv, os.unsetenv = telling(os.putenv), telling(os.unsetenv)
"""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    draw_album(folder, photos=PHOTOS, people=3, seed=5)
    return folder


@pytest.fixture
def album(drawn: Path, tmp_path: Path) -> Path:
    """A folder of one's own, with a space in its name."""
    folder = tmp_path / "my photos"
    shutil.copytree(drawn, folder)
    return folder


@pytest.fixture
def env(tmp_path: Path, demo_pack: Path) -> dict[str, str]:
    return clean_environment(data_dir=str(tmp_path / "data"), model_pack=str(demo_pack), cpu_threads="1")


class Shell:
    """Runs commands in one place with one environment."""

    def __init__(self, env: dict[str, str], cwd: Path) -> None:
        self.env = env
        self.cwd = cwd

    def call(self, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        ended = run_facefleet(*arguments, env=self.env, cwd=self.cwd)
        assert ended.returncode == status, ended.stderr
        assert "Traceback" not in ended.stderr
        return ended

    def document(self, *arguments: str, status: int = 0) -> Any:  # noqa: ANN401  JSON
        """What `--json` prints, which is all of stdout."""
        return json.loads(self.call(*arguments, "--json", status=status).stdout)


@pytest.fixture
def shell(env: dict[str, str], tmp_path: Path) -> Shell:
    return Shell(env, tmp_path)


def start_up(processes: Processes, shell: Shell, *arguments: str) -> subprocess.Popen[bytes]:
    process = processes.start("up", "--port", "0", *arguments, env=shell.env)
    note = Path(shell.env["FACEFLEET_DATA_DIR"]) / "server.json"
    wait_until(lambda: note.exists() or process.poll() is not None, "up has published its address")
    assert process.poll() is None, processes.logs()
    return process


def test_album_goes_in_and_a_person_comes_out(shell: Shell, album: Path) -> None:
    (album / "empty.jpg").touch()
    (album / "text.jpg").write_text("not a photo")
    first = shell.document("index", str(album), "--album", "people", status=3)
    assert (first["photos"], first["indexed"], first["dead"]) == (PHOTOS + 2, PHOTOS, 2)
    faces = shell.document("faces", "--album", "people")
    assert len(faces) == first["faces"] > 0
    dead = shell.document("photos", "--album", "people", "--state", "dead")
    assert {each["photo"] for each in dead} == {"empty.jpg", "text.jpg"}
    assert all(each["reason"] for each in dead)

    probe = album / faces[0]["photo"]
    found = shell.document("search", str(probe), "--album", "people", "--limit", "3")
    assert found[0]["candidates"][0]["photo"] == faces[0]["photo"]
    assert found[0]["candidates"][0]["similarity"] == pytest.approx(1, abs=0.01)

    # Where nothing is new no model is loaded: a runtime that cannot work is not noticed.
    shell.env |= {"FACEFLEET_DEVICE": "cuda", "FACEFLEET_RUNTIME": "openvino"}
    again = shell.document("index", str(album), "--album", "people", status=3)
    assert (again["faces"], again["photos"]) == (first["faces"], first["photos"])

    shell.call("delete", "people")
    assert shell.document("albums") == []
    shell.call("photos", "--album", "people", status=2)


def test_commands_use_the_server_that_runs(shell: Shell, album: Path, processes: Processes) -> None:
    (shell.cwd / "sitecustomize.py").write_text(TELL_TALE)
    shell.env["PYTHONPATH"] = str(shell.cwd)
    server = start_up(processes, shell)
    indexed = shell.document("index", str(album), "--album", "people")
    assert indexed["indexed"] == PHOTOS
    assert "changed beside threads" not in processes.logs()
    assert [each["name"] for each in shell.document("albums")] == ["people"]
    refused = shell.call("up", "--port", "0", status=2)
    assert "another process holds the data directory" in refused.stderr
    server.send_signal(signal.SIGTERM)
    assert server.wait(timeout=30) == 0, processes.logs()
    assert not (Path(shell.env["FACEFLEET_DATA_DIR"]) / "server.json").exists()
    assert "Traceback" not in processes.logs()


def test_killed_server_leaves_nothing_in_the_way(shell: Shell, processes: Processes) -> None:
    server = start_up(processes, shell)
    server.kill()
    server.wait()
    assert (Path(shell.env["FACEFLEET_DATA_DIR"]) / "server.json").exists()
    assert shell.document("albums") == []


def test_folder_is_sent_to_a_server_that_reads_none(shell: Shell, album: Path, processes: Processes) -> None:
    shell.env["FACEFLEET_FOLDER_SOURCES"] = "false"
    start_up(processes, shell)
    (album / "sub").mkdir()
    (album / "photo-00000.jpg").rename(album / "sub" / "first.jpg")
    strange = ["new\nline.jpg", 'quo"te.jpg', "tab\t日本.jpg"]
    for number, name in enumerate(strange, start=1):
        (album / f"photo-0000{number}.jpg").rename(album / name)
    first = shell.document("index", str(album), "--album", "people")
    assert first["indexed"] == PHOTOS
    names = {each["photo"] for each in shell.document("photos", "--album", "people")}
    assert {"sub/first.jpg", *strange} < names

    # Sent again it adds nothing, and a photo that changed takes its own place.
    again = shell.document("index", str(album), "--album", "people")
    assert (again["photos"], again["faces"]) == (PHOTOS, first["faces"])
    shutil.copy(album / strange[1], album / strange[0])
    shell.document("index", str(album), "--album", "people")
    (summary,) = shell.document("albums")
    assert (summary["photos"], summary["indexed"]) == (PHOTOS, PHOTOS)
    by_photo = Counter(each["photo"] for each in shell.document("faces", "--album", "people"))
    assert by_photo[strange[0]] == by_photo[strange[1]]


def test_api_alone_refuses_what_nobody_would_index(shell: Shell, album: Path, processes: Processes) -> None:
    process = processes.start("api", "--port", "0", env=shell.env)
    note = Path(shell.env["FACEFLEET_DATA_DIR"]) / "server.json"
    wait_until(lambda: note.exists() or process.poll() is not None, "the api has published its address")
    refused = shell.call("index", str(album), "--album", "people", status=2)
    assert "FACEFLEET_BROKER_URL" in refused.stderr


def test_index_that_is_interrupted_goes_on(shell: Shell, album: Path, processes: Processes) -> None:
    for number in range(40):
        shutil.copy(album / "photo-00001.jpg", album / f"more-{number}.jpg")
    began = processes.start("index", str(album), "--album", "people", env=shell.env)
    note = Path(shell.env["FACEFLEET_DATA_DIR"]) / "server.json"
    wait_until(lambda: note.exists() or began.poll() is not None, "the embedded server has published its address")
    # A second command meanwhile finds the first one's server.
    assert len(shell.document("albums")) <= 1
    if began.poll() is None:
        began.send_signal(signal.SIGINT)
        assert began.wait(timeout=30) in {0, 130}
    assert "Traceback" not in processes.logs()
    assert shell.document("index", str(album), "--album", "people")["indexed"] == PHOTOS + 40


def test_work_begun_without_waiting_is_done_by_the_next_server(shell: Shell, album: Path, processes: Processes) -> None:
    shell.call("index", str(album), "--album", "people", "--no-wait")
    start_up(processes, shell)
    wait_until(lambda: shell.document("albums")[0]["indexed"] == PHOTOS, "the fleet has done the work")


def test_without_a_model_pack_all_but_recognizing_works(shell: Shell, album: Path, tmp_path: Path) -> None:
    shell.env |= {"FACEFLEET_MODEL_PACK": "buffalo_l", "FACEFLEET_MODEL_DIR": str(tmp_path / "none")}
    assert shell.document("albums") == []
    refused = shell.call("index", str(album), "--album", "people", status=2)
    assert "FACEFLEET_ACCEPT_LICENSE=true" in refused.stderr
    findings = {each["what"]: each["ok"] for each in shell.document("doctor", status=2)}
    assert findings == dict.fromkeys(findings, True) | {"Model pack": False}


@pytest.mark.parametrize("command", ["worker", "dispatcher"])
def test_fleet_without_a_broker_is_refused(command: str, shell: Shell) -> None:
    assert "FACEFLEET_BROKER_URL" in shell.call(command, status=2).stderr
