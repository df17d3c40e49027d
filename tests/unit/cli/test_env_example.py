from pathlib import Path

from cli.env_example import read_sentences, render_env_example
from facefleet.settings import Settings

CHECKOUT = Path(__file__).resolve().parents[3]


def test_file_in_the_repository_is_what_the_settings_say() -> None:
    assert (CHECKOUT / ".env.example").read_text(encoding="utf-8") == render_env_example()


def test_every_setting_is_named_and_described() -> None:
    text = render_env_example()
    sentences = read_sentences()
    for name in Settings.model_fields:
        assert f"\n#FACEFLEET_{name.upper()}=" in text
        assert sentences[name]


def test_nothing_of_this_machine_is_in_it() -> None:
    assert str(Path.home()) not in render_env_example()
