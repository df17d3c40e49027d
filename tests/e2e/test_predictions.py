"""Named people on new photos in real processes, with the bundled pack: three classifiers say who is there."""

import json
import shutil
from pathlib import Path
from typing import Any

import httpx

from demo.album import AlbumTruth, draw_album
from facefleet.face_records import Box
from facefleet.ledger.spots import overlap_of
from tests.fixtures.processes import Processes, clean_environment, run_facefleet, wait_until

NAMED, NEW = 14, 4


def shown_at(box: list[float], photo: str, truth: AlbumTruth) -> str:
    return max(truth.photos[photo], key=lambda face: overlap_of(Box(*box), Box(*face.box))).person


def test_new_photos_say_who_is_on_them(demo_pack: Path, processes: Processes, tmp_path: Path) -> None:
    truth = draw_album(tmp_path / "drawn", photos=NAMED + NEW, people=4, seed=11)
    folder = tmp_path / "photos"
    folder.mkdir()
    names = sorted(truth.photos)
    env = clean_environment(data_dir=str(tmp_path / "data"), model_pack=str(demo_pack), cpu_threads="2")
    process = processes.start("up", "--port", "0", env=env)
    note = tmp_path / "data" / "server.json"
    wait_until(lambda: note.exists() or process.poll() is not None, "up has published its address")
    server = json.loads(note.read_text())

    def run(*arguments: str) -> str:
        ended = run_facefleet(*arguments, env=env, cwd=tmp_path)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    for photo in names[:NAMED]:
        shutil.copy(tmp_path / "drawn" / photo, folder)
    run("index", str(folder), "--album", "party")
    named = []
    for person in json.loads(run("people", "--album", "party", "--json")):
        face = person["faces"][0]
        named.append(shown_at(face["box"], face["photo"], truth))
        run("people", "name", person["person_id"], named[-1])
    assert len(named) == 4

    for photo in names[NAMED:]:
        shutil.copy(tmp_path / "drawn" / photo, folder)
    run("index", str(folder), "--album", "party")
    with httpx.Client(base_url=server["url"], headers={"X-Api-Key": server.get("key") or "none"}) as http:
        photos = http.get("/v1/albums/party/photos").raise_for_status().json()["photos"]
        new = {each["photo"]: each["photo_id"] for each in photos if each["photo"] in names[NAMED:]}
        assert len(new) == NEW

        def show(photo: str) -> dict[str, Any]:
            return dict(http.get(f"/v1/photos/{new[photo]}/predictions").raise_for_status().json())

        wait_until(lambda: all(show(photo)["state"] == "done" for photo in new), "new photos are predicted")
        said = [
            (prediction["classifier"], prediction["name"], shown_at(face["box"], photo, truth))
            for photo in new
            for face in show(photo)["faces"]
            for prediction in face["predictions"]
        ]
        assert {classifier for classifier, _, _ in said} == {"fast", "balanced", "accurate"}
        wrong = [each for each in said if each[1] is not None and each[1] != each[2]]
        assert wrong == []
        right = [each for each in said if each[1] == each[2]]
        assert len(right) >= 0.6 * len(said), said
        assert http.get(f"/predictions/{new[names[-1]]}").json()["status"] == "done"
        old = next(each["photo_id"] for each in photos if each["photo"] == names[0])
        assert http.get(f"/v1/photos/{old}/predictions").json()["state"] == "none"
    assert "Traceback" not in processes.logs()
