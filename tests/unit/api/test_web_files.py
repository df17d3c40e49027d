"""What can be said of the web page without a browser."""

import json
import posixpath
import re
from pathlib import Path
from typing import Any

WEB = Path(__file__).resolve().parents[3] / "api" / "web"
SCRIPTS = {path.relative_to(WEB).as_posix(): path.read_text("utf-8") for path in (WEB / "js").rglob("*.js")}
LANGUAGES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text("utf-8")) for path in (WEB / "messages").glob("*.json")
}
MOST_BYTES = 150_000


def forms_of(message: str | dict[str, str]) -> dict[str, str]:
    return message if isinstance(message, dict) else {"": message}


def imported_by(name: str) -> set[str]:
    """Name a script and all that it needs."""
    found, waiting = set(), {name}
    while waiting:
        script = waiting.pop()
        found.add(script)
        imports = re.findall(r'^import .* from "(.+)";$', SCRIPTS[script], re.MULTILINE)
        waiting |= {posixpath.normpath(f"{posixpath.dirname(script)}/{each}") for each in imports} - found
    return found


def test_every_language_says_the_same() -> None:
    assert set(LANGUAGES) == {"en", "es"}
    english, spanish = LANGUAGES["en"], LANGUAGES["es"]
    assert set(english) == set(spanish)
    for key in english:
        assert set(forms_of(english[key])) == set(forms_of(spanish[key])), key
        for form in forms_of(english[key]):
            placeholders = [set(re.findall(r"\{\w+\}", forms_of(each[key])[form])) for each in (english, spanish)]
            assert placeholders[0] == placeholders[1], key


def test_every_message_is_there_and_used() -> None:
    """A key stands in the scripts as it is, or behind the beginning that a template gives it."""
    code = "\n".join(SCRIPTS.values())
    said = set(re.findall(r'\bt\("([a-z_.]+)"', code))
    assert said
    assert said <= set(LANGUAGES["en"])
    prefixes = tuple(re.findall(r"`([a-z_]+\.)\$\{", code))
    unused = {key for key in LANGUAGES["en"] if f'"{key}"' not in code and not key.startswith(prefixes)}
    assert unused == set()


def test_no_script_turns_text_into_markup_or_code() -> None:
    for name, code in SCRIPTS.items():
        assert not re.search(r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|new Function)\b", code), (
            name
        )
        assert "http://" not in code.replace("http://www.w3.org/2000/svg", ""), name
        assert "https://" not in code, name


def test_the_page_is_small() -> None:
    """Everything before the first picture of each view, uncompressed, with the longest messages."""
    messages = max(path.stat().st_size for path in (WEB / "messages").glob("*.json"))
    frame = [WEB / "index.html", WEB / "icon.svg", *(WEB / "css").glob("*.css")]
    for view in ("find", "albums", "people", "system"):
        scripts = imported_by("js/main.js") | imported_by(f"js/views/{view}.js")
        weight = sum(path.stat().st_size for path in frame) + sum(len(SCRIPTS[name].encode()) for name in scripts)
        assert weight + messages < MOST_BYTES, view


def test_the_page_names_its_scripts_ahead() -> None:
    """One that is named late is fetched after another: the page would appear that much later."""
    page = (WEB / "index.html").read_text("utf-8")
    preloaded = set(re.findall(r'rel="modulepreload" href="/web/([^"]+)"', page))
    assert preloaded == imported_by("js/main.js") - {"js/main.js"}
