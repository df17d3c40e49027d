"""Keyboard, screen reader, languages, colours."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from tests.web.conftest import ALBUM, DemoAlbum, OpenPage, drop_file, wait_for_results

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
MESSAGES = Path("api/web/messages")

Walk: TypeAlias = Callable[[Page, DemoAlbum], None]


def find_start(page: Page, _demo: DemoAlbum) -> None:
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def find_results(page: Page, demo: DemoAlbum) -> None:
    drop_file(page, demo.group_photo())
    wait_for_results(page)
    page.locator(".found .cell-check input").first.check()


def albums(page: Page, _demo: DemoAlbum) -> None:
    page.goto(f"{page.url.partition('#')[0]}#/albums")
    page.wait_for_selector(".album-pictures img")


def new_album(page: Page, demo: DemoAlbum) -> None:
    albums(page, demo)
    page.locator(".view-head .button").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def album(page: Page, _demo: DemoAlbum) -> None:
    page.goto(f"{page.url.partition('#')[0]}#/albums/{ALBUM}")
    page.wait_for_selector(".cell-image.shown")
    page.locator(".view-head .button.primary").click()
    page.locator(".intake summary").click()


def viewer(page: Page, demo: DemoAlbum) -> None:
    album(page, demo)
    page.locator(".cell-main").first.click()
    page.wait_for_selector(".viewer-side h2")
    page.locator(".switch input").nth(1).check()


def people(page: Page, _demo: DemoAlbum) -> None:
    page.goto(f"{page.url.partition('#')[0]}#/people/{ALBUM}")
    page.wait_for_selector(".person-face img")
    page.locator(".person-card input").first.check()


def person(page: Page, demo: DemoAlbum) -> None:
    people(page, demo)
    page.locator(".person-card a").first.click()
    page.wait_for_selector(".photos .cell-image.shown")


def faces(page: Page, demo: DemoAlbum) -> None:
    person(page, demo)
    page.locator(".tab").nth(1).click()
    page.locator(".photos .cell-check input").first.check()


def system(page: Page, _demo: DemoAlbum) -> None:
    page.goto(f"{page.url.partition('#')[0]}#/system")
    page.wait_for_selector(".card")


SCREENS: dict[str, Walk] = {
    walk.__name__: walk
    for walk in (find_start, find_results, albums, new_album, album, viewer, people, person, faces, system)
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", list(SCREENS))
def test_axe_finds_nothing(open_page: OpenPage, demo: DemoAlbum, name: str, theme: str) -> None:
    page = open_page(color_scheme=theme, reduced_motion="reduce")
    SCREENS[name](page, demo)
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", list(SCREENS))
def test_nothing_sticks_out_on_a_phone_in_spanish(open_page: OpenPage, demo: DemoAlbum, name: str) -> None:
    page = open_page(viewport={"width": 320, "height": 640}, locale="es-ES", has_touch=True, is_mobile=True)
    SCREENS[name](page, demo)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.evaluate("document.documentElement.lang") == "es"


def mark_messages(route: Route) -> None:
    """Serve every message between brackets, so that what was not a message shows."""
    messages = json.loads((MESSAGES / route.request.url.rpartition("/")[2]).read_text("utf-8"))

    def marked(message: Any) -> Any:  # noqa: ANN401  a message or its plural forms
        return {form: marked(each) for form, each in message.items()} if isinstance(message, dict) else f"⟦{message}⟧"

    route.fulfill(json={key: marked(message) for key, message in messages.items()})


#: What is no message: names that people or the project gave, and what the server says of its models and files.
DATA = re.compile(r"Facefleet|English|Español|demo|photo-\d+\.jpg|wedding|zz .*|s3://\S+|\b[kM]B\b|\b[0-9a-f]{16}\b")

READ_ALL = """() => {
    const said = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const inFact = walker.currentNode.parentElement.closest("dd, noscript");
        if (!inFact) said.push(walker.currentNode.textContent);
    }
    for (const element of document.querySelectorAll("*")) {
        for (const name of ["aria-label", "title", "placeholder", "alt"]) {
            if (element.hasAttribute(name)) said.push(element.getAttribute(name));
        }
    }
    return said;
}"""


@pytest.mark.parametrize("name", list(SCREENS))
def test_every_word_is_a_message(open_page: OpenPage, demo: DemoAlbum, name: str) -> None:
    page = open_page(None)
    page.route("**/web/messages/*.json", mark_messages)
    page.goto(demo.url)
    SCREENS[name](page, demo)
    said = [text for text in page.evaluate(READ_ALL) if text.strip()]
    assert any("⟦" in text for text in said)
    bare = [DATA.sub("", re.sub(r"⟦[^⟧]*⟧", "", text)) for text in said]
    assert [text for text in bare if re.search(r"[A-Za-z]{2,}", text)] == []


def test_the_language_is_chosen_and_remembered(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_label("Language").select_option("es")
    expect(page.get_by_role("heading", name="Encuéntrate")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Encuéntrate")).to_be_visible()


def test_the_colours_are_chosen_and_remembered(open_page: OpenPage) -> None:
    page = open_page(color_scheme="dark")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(paper)
    page.get_by_role("button", name="Light colours").click()
    light = page.evaluate(paper)
    assert light != dark
    page.reload()
    page.wait_for_selector("h1")
    assert page.evaluate(paper) == light


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText"))


def test_everything_is_reached_with_the_keyboard(open_page: OpenPage) -> None:
    page = open_page(f"#/albums/{ALBUM}")
    page.wait_for_selector(".cell-image.shown")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    page.keyboard.press("Enter")
    page.locator(".cell-main").first.focus()
    assert focused(page).startswith("photo-00000.jpg")
    page.keyboard.press("ArrowRight")
    assert focused(page).startswith("photo-00001.jpg")
    page.keyboard.press("End")
    assert focused(page).startswith("photo-00071.jpg")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    assert focused(page).startswith("photo-0000")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_role("region", name="Selected photos")).to_contain_text("1 photo selected")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert focused(page).startswith("photo-0000"), "the focus is where it was"


def test_only_one_cell_of_a_grid_is_in_the_order_of_tab(open_page: OpenPage) -> None:
    page = open_page(f"#/albums/{ALBUM}")
    page.wait_for_selector(".cell-image.shown")
    assert page.locator(".grid button[tabindex='0']").count() == 1
    rows = page.locator(".grid [role=row]:visible")
    assert rows.count() * int(page.locator(".grid").get_attribute("aria-colcount") or 0) < 72
