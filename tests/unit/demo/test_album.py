"""The drawn album and its truth."""

import json
from pathlib import Path

import cv2
import numpy as np

from demo.album import CAST_SIZES, draw_album, draw_selfie, person_name


def test_album_writes_photos_and_truth(tmp_path: Path) -> None:
    album = draw_album(tmp_path / "album", photos=3, people=4, seed=2)
    names = ["photo-00000.jpg", "photo-00001.jpg", "photo-00002.jpg"]
    assert sorted(path.name for path in (tmp_path / "album").glob("*.jpg")) == names
    truth = json.loads((tmp_path / "album" / "truth.json").read_text())["photos"]
    assert list(truth) == names
    assert {face["person"] for faces in truth.values() for face in faces} <= set(album.person_seeds)
    for name, faces in truth.items():
        height, width = cv2.imread(str(tmp_path / "album" / name)).shape[:2]
        assert len(faces) <= max(CAST_SIZES)
        for face in faces:
            x, y, w, h = face["box"]
            assert 0 <= x < x + w <= width
            assert 0 <= y < y + h <= height
            assert np.array(face["landmarks"]).shape == (5, 2)
    assert any(truth.values())


def test_same_seed_writes_the_same_album_with_any_number_of_processes(tmp_path: Path) -> None:
    draw_album(tmp_path / "one", photos=2, people=3, seed=5)
    draw_album(tmp_path / "two", photos=2, people=3, seed=5, processes=2)
    for name in ("photo-00000.jpg", "photo-00001.jpg", "truth.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_selfie_is_a_portrait_and_repeatable() -> None:
    selfie = draw_selfie(2_001, 1)
    assert selfie.shape == (960, 720, 3)
    assert np.array_equal(selfie, draw_selfie(2_001, 1))
    assert not np.array_equal(selfie, draw_selfie(2_001, 2))
    assert not np.array_equal(selfie, draw_selfie(2_002, 1))


def test_names_are_never_given_twice() -> None:
    names = [person_name(number) for number in range(100)]
    assert len(set(names)) == 100
    assert names[0] == "Ada"
