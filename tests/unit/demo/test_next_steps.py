import subprocess
import sys
from pathlib import Path

import pytest

from cli.data_directory import hold_data_directory
from demo.__main__ import _empty, describe_next_steps


def test_printed_commands_run_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my venv" / "bin").mkdir(parents=True)
    command = tmp_path / "my venv" / "bin" / "facefleet"
    command.symlink_to(Path(sys.executable).with_name("facefleet"))
    monkeypatch.chdir(tmp_path)
    printed = [line.strip() for line in describe_next_steps(command).splitlines() if line.startswith("  ")]
    assert printed[0].startswith("FACEFLEET_DATA_DIR=.demo/data FACEFLEET_MODEL_PACK=demo 'my venv/bin/facefleet' ")
    assert len(printed) == 4
    for line in printed[:2]:
        done = subprocess.run(["/bin/sh", "-c", f"{line} --help"], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()


def test_command_elsewhere_is_named_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "/opt/venv/bin/facefleet up" in describe_next_steps(Path("/opt/venv/bin/facefleet"))


def test_demo_starts_empty_but_not_under_a_running_server(tmp_path: Path) -> None:
    data_dir = tmp_path / ".demo" / "data"
    data_dir.mkdir(parents=True)
    (data_dir / "ledger.sqlite3").write_bytes(b"old")
    with hold_data_directory(data_dir), pytest.raises(SystemExit, match="another process holds"):
        _empty(data_dir)
    assert (data_dir / "ledger.sqlite3").exists()
    _empty(data_dir)
    assert not data_dir.exists()
