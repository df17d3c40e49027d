import json
from pathlib import Path

import pytest

from cli.main import run


@pytest.fixture(autouse=True)
def empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEFLEET_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "--photos", "2000", "--rate", "20", "--seeds", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["photos"] == 2000
    assert found["instance"]["photos_per_s"] == 20
    assert found["missed_share"] == 0
    assert found["usd"]["rekognition_album"] > found["usd"]["album"] > 0


def test_table_is_for_people_and_the_note_on_prices_is_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "--photos", "2000", "--deadline", "5m", "--seeds", "3"]) == 0
    written = capsys.readouterr()
    assert "2,000 photos on c6i.2xlarge" in written.out
    assert "deadline 5 min 00 s" in written.out
    assert "list prices" in written.err.lower()


def test_internet_profile(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "--profile", "internet", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["assumed"]["photos_per_day"] == 100_000_000
    assert {"shards", "memory, int8", "all of these"} <= {each["name"] for each in found["figures"]}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--deadline", "soon"], "--deadline soon: give a time like 90s, 10m or 2h"),
        (["--deadline", "-5m"], "--deadline -5m"),
        (["--boot", "nan"], "--boot nan"),
        (["--rate", "fast"], "--rate fast: give photos a second"),
        (["--rate", "0"], "--rate 0"),
        (["--rate", "inf"], "--rate inf"),
        (["--instance", "abacus"], "the price of abacus is not known"),
    ],
)
def test_bad_values_end_in_a_sentence(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_nothing_to_measure_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "--rate", "measured"]) == 2
    assert "nothing was indexed in this data directory yet" in capsys.readouterr().err
