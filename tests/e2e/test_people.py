"""People in real processes, with the bundled pack: found, named, recognised in the next photos, and never forgotten."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from demo.album import AlbumFace, AlbumTruth, draw_album
from facefleet.face_records import Box
from facefleet.ledger.spots import overlap_of
from tests.fixtures.processes import Processes, clean_environment, run_facefleet, wait_until

ALBUM = ("--album", "party")


@pytest.fixture
def env(tmp_path: Path, demo_pack: Path) -> dict[str, str]:
    return clean_environment(data_dir=str(tmp_path / "data"), model_pack=str(demo_pack), cpu_threads="2")


@pytest.fixture
def facefleet(env: dict[str, str], tmp_path: Path) -> Callable[..., str]:
    def call(*arguments: str) -> str:
        ended = run_facefleet(*arguments, env=env, cwd=tmp_path)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    return call


def start_up(processes: Processes, env: dict[str, str]) -> subprocess.Popen[bytes]:
    process = processes.start("up", "--port", "0", env=env)
    note = Path(env["FACEFLEET_DATA_DIR"]) / "server.json"
    wait_until(lambda: note.exists() or process.poll() is not None, "up has published its address")
    assert process.poll() is None, processes.logs()
    return process


def read_people(facefleet: Callable[..., str]) -> list[dict[str, Any]]:
    return list(json.loads(facefleet("people", *ALBUM, "--json")))


def who(person: dict[str, Any], truth: AlbumTruth) -> str:
    """Whom all faces of a person show, as the drawing knows."""
    (name,) = {drawn_at(face["box"], truth.photos[face["photo"]]) for face in person["faces"]}
    return name


def drawn_at(box: list[float], drawn: Sequence[AlbumFace]) -> str:
    return max(drawn, key=lambda face: overlap_of(Box(*box), Box(*face.box))).person


def photos_of(people: list[dict[str, Any]], name: str) -> set[str]:
    return {face["photo"] for person in people if person["name"] == name for face in person["faces"]}


def test_people_are_found_named_recognised_and_kept(
    env: dict[str, str], facefleet: Callable[..., str], processes: Processes, tmp_path: Path
) -> None:
    truth = draw_album(tmp_path / "drawn", photos=18, people=4, seed=7)
    folder = tmp_path / "photos"
    folder.mkdir()
    names = sorted(truth.photos)
    expected = {
        name: {photo for photo in names if name in {each.person for each in truth.photos[photo]}}
        for name in truth.person_seeds
    }

    server = start_up(processes, env)
    for photo in names[:12]:
        shutil.copy(tmp_path / "drawn" / photo, folder)
    facefleet("index", str(folder), *ALBUM)
    found = read_people(facefleet)
    assert sorted(who(person, truth) for person in found) == sorted(expected)
    for person in found:
        facefleet("people", "name", person["person_id"], who(person, truth))

    for photo in names[12:]:
        shutil.copy(tmp_path / "drawn" / photo, folder)
    facefleet("index", str(folder), *ALBUM)
    recognised = read_people(facefleet)
    assert {name: photos_of(recognised, name) for name in expected} == expected

    first, second = sorted(expected)[:2]
    facefleet("people", "merge", first, second)
    facefleet("people", "cluster", *ALBUM)
    assert photos_of(read_people(facefleet), first) == expected[first] | expected[second]
    facefleet("people", "undo", first)
    assert read_people(facefleet) == recognised

    for photo in folder.iterdir():  # as if edited: every photo and face is another now, but for its place
        os.utime(photo, (1, 1))
    facefleet("index", str(folder), *ALBUM)
    facefleet("people", "cluster", *ALBUM)
    anew = read_people(facefleet)
    assert {name: photos_of(anew, name) for name in expected} == expected
    before = {face["face_id"] for person in recognised for face in person["faces"]}
    assert not before & {face["face_id"] for person in anew for face in person["faces"]}

    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0
    assert read_people(facefleet) == anew, "a command without a server finds them, too"
    assert "Traceback" not in processes.logs()
