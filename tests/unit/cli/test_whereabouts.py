from pathlib import Path

import pytest

from cli.composition import load_settings
from cli.whereabouts import Whereabouts, find_whereabouts
from facefleet.errors import ConfigurationError


@pytest.fixture(autouse=True)
def empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (
        "FACEFLEET_SERVER",
        "FACEFLEET_DATA_DIR",
        "FACEFLEET_MAX_PROBE_BYTES",
        "FACEFLEET_API_KEY",
        "XDG_DATA_HOME",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def assert_agrees_with_settings() -> Whereabouts:
    found = find_whereabouts()
    settings = load_settings()
    assert (found.server, found.data_dir) == (settings.server, settings.data_dir)
    assert found.max_probe_bytes == settings.max_probe_bytes
    assert found.api_key == settings.api_key.get_secret_value()
    return found


def test_default_is_the_data_folder_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    assert assert_agrees_with_settings() == Whereabouts("", Path("/home/anna/.local/share/facefleet"))


@pytest.mark.parametrize(
    ("environment", "dotenv"),
    [
        ({"FACEFLEET_DATA_DIR": "/data", "FACEFLEET_SERVER": "http://a:1"}, ""),
        ({"facefleet_data_dir": "/data"}, ""),
        ({}, "FACEFLEET_DATA_DIR=/data\nFACEFLEET_SERVER='http://a:1'  # ours\n"),
        ({"FACEFLEET_DATA_DIR": "/data"}, "FACEFLEET_DATA_DIR=/other\n"),
        ({"FACEFLEET_SERVER": ""}, "FACEFLEET_SERVER=http://a:1\n"),
        ({"FACEFLEET_DATA_DIR": "", "FACEFLEET_MAX_PROBE_BYTES": ""}, "FACEFLEET_MODEL_PACK=\n"),
        ({"FACEFLEET_DATA_DIR": "relative/place"}, ""),
        ({"FACEFLEET_DATA_DIR": "~/faces"}, ""),
        ({"XDG_DATA_HOME": "/xdg"}, ""),
        ({"FACEFLEET_API_KEY": "FFKA_1"}, "FACEFLEET_API_KEY=FFKB_2\n"),
        ({}, "FACEFLEET_API_KEY=FFKB_2\n"),
        ({"FACEFLEET_MAX_PROBE_BYTES": "100"}, "FACEFLEET_MAX_PROBE_BYTES=200\n"),
    ],
)
def test_light_reading_agrees_with_the_settings(
    environment: dict[str, str], dotenv: str, empty_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if dotenv:
        (empty_place / ".env").write_text(dotenv)
    assert assert_agrees_with_settings().data_dir.is_absolute()


def test_wrong_setting_is_named_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEFLEET_CPU_THREADS", "many")
    with pytest.raises(ConfigurationError, match=r"FACEFLEET_CPU_THREADS: .*integer.*'many'"):
        load_settings()


def test_a_file_that_is_no_text_is_said_so(empty_place: Path) -> None:
    (empty_place / ".env").write_bytes(b"FACEFLEET_SERVER=\xff\xfe")
    for read in (find_whereabouts, load_settings):
        with pytest.raises(ConfigurationError, match=r"the file \.env with settings cannot be read"):
            read()
