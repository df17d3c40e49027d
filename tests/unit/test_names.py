"""Names of every script are names; what moves a cursor or turns text around is not shown."""

import pytest

from facefleet.names import is_album_name, is_name, is_showable, show_name

SHOT = "Screenshot 10.00.00\u202fAM.png"
JAPANESE, PERSIAN, EMOJI, NO_BREAK = (
    "山田\u3000太郎",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "\U0001f468\u200d\U0001f467",
    "a\xa0b",
)


@pytest.mark.parametrize("name", [SHOT, JAPANESE, PERSIAN, EMOJI, NO_BREAK, "IMG 1.jpg", ""])
def test_names_of_people_and_of_cameras_stay_as_they_are(name: str) -> None:
    assert is_showable(name)
    assert show_name(name) == name


@pytest.mark.parametrize("name", ["", " ", "\u3000\xa0", "\u200b", "\u200d \ufeff"])
def test_what_nobody_sees_is_no_name(name: str) -> None:
    assert is_showable(name)
    assert not is_name(name)
    assert not is_album_name(name)
    assert is_album_name(f"{name}\U0001f469\u200d\U0001f680")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("new\nline.jpg", r"new\nline.jpg"),
        ("\x1b[31mred.jpg", r"\x1b[31mred.jpg"),
        (f"\0{SHOT}", rf"\x00{SHOT}"),
        ("a\u2028b", r"a\u2028b"),
        ("gpj.\u202ephoto.exe", r"gpj.\u202ephoto.exe"),
        ("half \udce9", r"half \udce9"),
    ],
)
def test_what_cannot_be_shown_is_spelled(name: str, shown: str) -> None:
    assert not is_showable(name)
    assert show_name(name) == shown
    assert is_showable(shown)
