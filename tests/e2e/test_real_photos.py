"""Real photos of real people, where they lie beside the checkout: find me finds me."""

import json
import re
from pathlib import Path

import pytest

from tests.fixtures.processes import Processes, clean_environment, run_facefleet, wait_until

pytestmark = pytest.mark.shared


def people_in(photo: str) -> set[str]:
    """Who a file name says is there: `obama+biden.jpg`, `rose-2.jpg`; nobody known for the rest."""
    stem = Path(photo).stem
    names = set(re.sub(r"-\d+$", "", stem).split("+"))
    return (
        set()
        if names & {"heic", "webp", "avif", "crowd", "portrait-exif", "portrait-upright", "no-face", "two-people"}
        else names
    )


def test_a_photo_of_a_person_ranks_the_persons_other_photos_first(
    shared_dir: Path, real_pack: Path, processes: Processes, tmp_path: Path
) -> None:
    env = clean_environment(data_dir=str(tmp_path / "data"), model_pack=str(real_pack))
    processes.start("up", "--port", "0", env=env)
    wait_until((tmp_path / "data" / "server.json").exists, "up has published its address")
    photos = shared_dir / "photos"
    indexed = run_facefleet("index", str(photos), "--album", "people", "--json", env=env, cwd=tmp_path)
    assert indexed.returncode == 0, indexed.stderr + processes.logs()
    result = json.loads(indexed.stdout)
    assert (result["photos"], result["dead"]) == (len(list(photos.iterdir())), 0)

    searched = 0
    known = {path.name: people_in(path.name) for path in photos.iterdir()}
    for photo, people in known.items():
        others = {each for each, there in known.items() if people & there and each != photo}
        if len(people) != 1 or not others:
            continue
        found = run_facefleet("search", str(photos / photo), "--album", "people", "--json", env=env, cwd=tmp_path)
        [answer] = json.loads(found.stdout)
        ranked = [each["photo"] for each in answer["candidates"] if each["photo"] != photo and known[each["photo"]]]
        assert set(ranked[: len(others)]) == others, f"{photo}: {ranked}"
        searched += 1
    assert searched > 10
