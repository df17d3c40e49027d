"""`facefleet migrate` beside a running `up`: searches answer all the way, people and decisions stay, and back again."""

import json
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import onnx
import pytest

from demo.album import draw_album
from tests.fixtures.processes import Processes, clean_environment, run_facefleet, wait_until

PEOPLE = ("Anna", "Ben")


@dataclass
class Home:
    """A data directory with a server on it that is started anew with other packs."""

    data_dir: Path
    processes: Processes
    pack: Path

    @property
    def env(self) -> dict[str, str]:
        return clean_environment(data_dir=str(self.data_dir), model_pack=str(self.pack), cpu_threads="1")

    def call(self, *arguments: str, status: int = 0) -> str:
        ended = run_facefleet(*arguments, env=self.env, cwd=self.data_dir.parent)
        assert ended.returncode == status, ended.stderr + self.processes.logs()
        assert "Traceback" not in ended.stderr
        return ended.stdout + ended.stderr

    @contextmanager
    def server(self) -> Iterator[httpx.Client]:
        process = self.processes.start("up", "--port", "0", "--no-open", env=self.env)
        try:
            wait_until((self.data_dir / "server.json").exists, "up has published its address")
            note = json.loads((self.data_dir / "server.json").read_text())
            with httpx.Client(base_url=note["url"], headers={"X-Api-Key": note["key"]}, timeout=60) as api:
                yield api
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def people_of(api: httpx.Client) -> dict[str, set[str]]:
    """The photos of everybody who has a name."""
    people = api.get("/v1/albums/a/people?limit=1000").raise_for_status().json()["people"]
    return {
        each["name"]: {
            face["photo"]
            for face in api.get(f"/v1/people/{each['person_id']}/faces?limit=1000").raise_for_status().json()["faces"]
        }
        for each in people
        if each["name"]
    }


def is_grouped(api: httpx.Client) -> bool:
    found = api.get("/v1/albums/a/people/cluster").raise_for_status().json()
    return bool(found["state"] == "done" and found["new_photos"] == 0)


@dataclass(frozen=True)
class Said:
    """What a human said."""

    #: Photos of everybody who has a name.
    named: dict[str, set[str]]
    #: A photo with the first one's face, and one whose face is not theirs.
    is_first: str
    is_not_first: str

    def assert_held(self, api: httpx.Client) -> None:
        """What was said holds; what the machine found, a model may see otherwise now and then."""
        found = people_of(api)
        assert found.keys() == self.named.keys()
        assert self.is_first in found[PEOPLE[0]]
        assert self.is_not_first not in found[PEOPLE[0]]
        for name, theirs in self.named.items():
            assert len(found[name] & theirs) >= 0.6 * len(theirs), (name, found, self.named)


def name_people(api: httpx.Client) -> Said:
    """The two who are on most photos get names; one face is said to be the first one's, and one is said not to be."""
    wait_until(lambda: is_grouped(api), "people are grouped")
    people = api.get("/v1/albums/a/people").raise_for_status().json()["people"][:2]
    for person, name in zip(people, PEOPLE, strict=True):
        api.patch(f"/v1/people/{person['person_id']}", json={"name": name}).raise_for_status()
    first = f"/v1/people/{people[0]['person_id']}"
    [is_not, *_, is_theirs] = api.get(f"{first}/faces").raise_for_status().json()["faces"]
    api.post(f"{first}/not", json={"face_ids": [is_not["face_id"]]}).raise_for_status()
    api.post(f"{first}/faces", json={"face_ids": [is_theirs["face_id"]]}).raise_for_status()
    return Said(people_of(api), is_theirs["photo"], is_not["photo"])


def search(api: httpx.Client, probe: bytes) -> set[str]:
    answer = api.post("/v1/albums/a/search", content=probe, headers={"Content-Type": "image/jpeg"})
    faces: list[dict[str, Any]] = answer.raise_for_status().json()["faces"]
    return {each["photo"] for face in faces for each in face["candidates"]}


def search_until(ended: Event, api: httpx.Client, probe: bytes) -> list[set[str]]:
    answers = []
    while not ended.wait(0.2):
        answers.append(search(api, probe))
    return answers


def migrate_beside(home: Home, api: httpx.Client, probe: bytes, *arguments: str) -> tuple[str, list[set[str]]]:
    """Migrate while somebody searches without a pause; returns what the command said, and all answers."""
    ended = Event()
    with ThreadPoolExecutor(1) as pool:
        searching: Future[list[set[str]]] = pool.submit(search_until, ended, api, probe)
        try:
            said = home.call("migrate", *arguments)
        finally:
            ended.set()
        return said, searching.result()


@dataclass(frozen=True)
class Migrated:
    """A server that works with the pack that was migrated to."""

    api: httpx.Client
    said: Said
    #: What a search answered before.
    before: set[str]


@contextmanager
def migrated(home: Home, photos: Path, probe: Path, other_pack: Path) -> Iterator[Migrated]:
    """Index, name and migrate beside a server, then start it on the other pack and see that all is as it was."""
    image = probe.read_bytes()
    with home.server() as api:
        home.call("index", str(photos), "--album", "a")
        said, before = name_people(api), search(api, image)
        assert probe.name in before
        printed, answers = migrate_beside(home, api, image, "--to", str(other_pack))
        assert "Switched" in printed
        assert answers
        assert all(answer == before for answer in answers)
        assert search(api, image) == before
        said.assert_held(api)
    assert "FACEFLEET_MODEL_PACK" in home.call("search", str(probe), "--album", "a", status=2)
    home.pack = other_pack
    with home.server() as api:
        wait_until(lambda: is_grouped(api), "people are grouped anew")
        assert probe.name in search(api, image)
        said.assert_held(api)
        yield Migrated(api, said, before)


def twin_of(pack: Path, folder: Path) -> Path:
    """The same model as another version: its embedder has a remark."""
    shutil.copytree(pack, folder)
    (folder / "calibration.json").unlink()
    [file] = folder.glob("rec_*.onnx")
    model = onnx.load(file)
    model.doc_string = "twin"
    onnx.save(model, file)
    return folder


def test_drawn_people_stay_who_they_are_there_and_back(tmp_path: Path, demo_pack: Path, processes: Processes) -> None:
    photos = tmp_path / "photos"
    draw_album(photos, photos=8, people=3, seed=5)
    home, probe = Home(tmp_path / "data", processes, demo_pack), min(photos.glob("*.jpg"))
    image = probe.read_bytes()
    with migrated(home, photos, probe, twin_of(demo_pack, tmp_path / "twin")) as there:
        printed, answers = migrate_beside(home, there.api, image, "--back")
        assert "Switched" in printed
        assert all(probe.name in answer for answer in answers)
    home.pack = demo_pack
    with home.server() as api:
        wait_until(lambda: is_grouped(api), "people are grouped once more")
        assert search(api, image) == there.before
        there.said.assert_held(api)


@pytest.mark.shared
def test_real_people_stay_who_they_are(tmp_path: Path, shared_dir: Path, processes: Processes) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("kit", "obama", "biden", "rose"):
        for photo in (shared_dir / "photos").glob(f"{name}-*.jpg"):
            shutil.copy(photo, photos)
    home = Home(tmp_path / "data", processes, shared_dir / "models" / "scrfd500m-mbf128")
    with migrated(home, photos, photos / "obama-1.jpg", shared_dir / "models" / "scrfd2.5g-mbf128"):
        """Seen already; the way back is the drawn people's."""
