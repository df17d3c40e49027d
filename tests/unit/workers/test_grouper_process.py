"""What the process that groups people does for whoever asks it, with another program in its place."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from facefleet.settings import Settings
from tests.fixtures.processes import wait_until
from workers import grouper_process
from workers.grouper_process import GrouperProcess


@pytest.fixture
def grouper(tmp_path: Path) -> Iterator[GrouperProcess]:
    with closing(GrouperProcess(Settings(data_dir=tmp_path))) as opened:
        yield opened


def test_a_machine_without_room_for_a_process_is_tried_again_with_the_next_album(
    grouper: GrouperProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, asked_for = uuid4(), uuid4(), tmp_path / "asked-for"
    monkeypatch.setattr(grouper_process, "COMMAND", (str(tmp_path / "nothing"),))
    with capture_logs() as said:
        grouper.group(first)
        wait_until(lambda: bool(said), "the process cannot be started")
    # Writes down every line, and answers with it.
    monkeypatch.setattr(grouper_process, "COMMAND", ("tee", str(asked_for)))
    grouper.group(second)
    wait_until(lambda: asked_for.exists() and asked_for.read_text() == f"{second}\n", "the next album is asked for")
