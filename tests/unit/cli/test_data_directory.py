import json
import os
from pathlib import Path

import pytest

from cli.data_directory import hold_data_directory, read_server_note
from facefleet.errors import ConfigurationError, DataDirectoryInUse


def test_only_one_holds_it(tmp_path: Path) -> None:
    with hold_data_directory(tmp_path) as held:
        held.publish("http://127.0.0.1:1", "key")
        with (
            pytest.raises(DataDirectoryInUse, match=r"a server at http://127.0.0.1:1"),
            hold_data_directory(tmp_path),
        ):
            pass
        assert read_server_note(tmp_path) == ("http://127.0.0.1:1", "key")
    with hold_data_directory(tmp_path):
        pass


def test_note_goes_with_the_hold(tmp_path: Path) -> None:
    with hold_data_directory(tmp_path) as held:
        held.publish("http://127.0.0.1:1", "key")
        note = tmp_path / "server.json"
        assert json.loads(note.read_text()) == {"url": "http://127.0.0.1:1", "key": "key", "pid": os.getpid()}
        assert note.stat().st_mode & 0o077 == 0
    assert read_server_note(tmp_path) is None


def test_note_of_a_killed_process_is_removed(tmp_path: Path) -> None:
    (tmp_path / "server.json").write_text('{"url": "http://127.0.0.1:1", "key": "", "pid": 1}')
    with hold_data_directory(tmp_path):
        assert read_server_note(tmp_path) is None


@pytest.mark.parametrize("damaged", ["", "{", "[]", "{}", "3"])
def test_damaged_note_is_no_note(damaged: str, tmp_path: Path) -> None:
    (tmp_path / "server.json").write_text(damaged)
    assert read_server_note(tmp_path) is None


def test_place_that_cannot_be_used_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be used"), hold_data_directory(tmp_path / "file" / "inside"):
        pass


def test_others_cannot_read_it(tmp_path: Path) -> None:
    with hold_data_directory(tmp_path / "new" / "faces"):
        assert (tmp_path / "new" / "faces").stat().st_mode & 0o077 == 0
