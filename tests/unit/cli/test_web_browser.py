import sys
import webbrowser
from threading import Event

import pytest

from cli.web_browser import has_screen, show_page


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {}, False),
        ("linux", {"DISPLAY": "localhost:10.0", "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, False),
        ("linux", {"DISPLAY": ":0", "CI": "true"}, False),
        ("darwin", {}, True),
        ("win32", {}, True),
    ],
)
def test_a_browser_needs_somebody_who_sees_it(platform: str, environment: dict[str, str], expected: bool) -> None:
    assert has_screen(platform, environment) is expected


@pytest.mark.parametrize("seen", [True, False])
def test_the_page_is_opened_where_it_is_seen(monkeypatch: pytest.MonkeyPatch, seen: bool) -> None:
    opened, done = [], Event()
    monkeypatch.setattr(webbrowser, "open", lambda url: (opened.append(url), done.set()))
    monkeypatch.setattr("cli.web_browser.has_screen", lambda *_: seen)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    show_page("http://127.0.0.1:8000")
    assert not seen or done.wait(5)
    assert opened == (["http://127.0.0.1:8000"] if seen else [])
