"""A photographer says who is who. Every test has an album of its own: what is said in one is not undone in another."""

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.fixtures.processes import wait_until
from tests.web.conftest import OTHER, PHOTOS, DemoAlbum, OpenPage


@pytest.fixture
def album(demo: DemoAlbum, request: pytest.FixtureRequest) -> str:
    """An album of the same photos, grouped."""
    name = f"{OTHER} {request.node.name[5:45]}"
    with httpx.Client(base_url=demo.url) as http:
        http.post("/v1/albums", json={"name": name}).raise_for_status()
        http.post(f"/v1/albums/{name}/index", json={"source": str(demo.folder)}).raise_for_status()

        def is_grouped() -> bool:
            people = http.get(f"/v1/albums/{name}/people").json()
            grouping, is_indexed = people["clustering"], http.get(f"/v1/albums/{name}").json()["indexed"] == PHOTOS
            return is_indexed and (grouping["state"], grouping["new_photos"]) == ("done", 0) and bool(people["people"])

        wait_until(is_grouped, "the album's faces are grouped", 120)
    return name


def cards(page: Page) -> Locator:
    return page.locator(".person-card")


def count_of(card: Locator) -> int:
    return int(card.locator(".note").inner_text().split()[0])


def test_somebody_is_named_and_the_name_is_on_their_photos(open_page: OpenPage, album: str) -> None:
    page = open_page(f"#/people/{album}")
    cards(page).first.get_by_role("link").click()
    page.get_by_role("button", name="Add a name").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("Ada Lovelace")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Ada Lovelace")).to_be_visible()
    page.locator(".photos .cell-main").first.click()
    viewer = page.get_by_role("dialog")
    expect(viewer.get_by_role("link", name="Ada Lovelace")).to_be_visible()
    expect(viewer.locator(".face-mark.meant")).to_have_text("Ada Lovelace")
    page.keyboard.press("Escape")
    page.locator(".person-head").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1, name="No name yet")).to_be_visible()


def test_two_are_merged_by_dragging_and_parted_by_undoing(open_page: OpenPage, album: str) -> None:
    page = open_page(f"#/people/{album}")
    expect(cards(page).nth(3)).to_be_visible()
    before = cards(page).count()
    photos = count_of(cards(page).nth(0)), count_of(cards(page).nth(1))
    cards(page).nth(1).drag_to(cards(page).nth(0))
    expect(page.get_by_role("status").filter(has_text="became one")).to_be_visible()
    expect(cards(page)).to_have_count(before - 1)
    assert count_of(cards(page).nth(0)) > max(photos)
    page.get_by_role("button", name="Undo").click()
    expect(cards(page)).to_have_count(before)
    assert (count_of(cards(page).nth(0)), count_of(cards(page).nth(1))) == photos


def test_two_are_merged_with_the_keyboard(open_page: OpenPage, album: str) -> None:
    page = open_page(f"#/people/{album}")
    expect(cards(page).nth(3)).to_be_visible()
    before = cards(page).count()
    for place in (1, 2):
        cards(page).nth(place).get_by_role("checkbox").focus()
        page.keyboard.press("Space")
    one = page.get_by_role("button", name="They are one person")
    one.focus()
    page.keyboard.press("Enter")
    expect(cards(page)).to_have_count(before - 1)


def test_faces_that_are_somebody_else_go(open_page: OpenPage, album: str) -> None:
    page = open_page(f"#/people/{album}")
    expect(cards(page).nth(3)).to_be_visible()
    people = cards(page).count()
    cards(page).first.get_by_role("link").click()
    page.get_by_role("button", name="Faces", exact=True).click()
    faces = page.locator(".photos .cell:visible")
    expect(faces.nth(3)).to_be_visible()
    before = int(page.locator(".counts").inner_text().split("·")[1].split()[0])
    faces.nth(0).get_by_role("checkbox").check()
    page.get_by_role("button", name="Not this person").click()
    expect(page.locator(".counts")).to_contain_text(f"{before - 1} faces")
    for place in (0, 1):
        faces.nth(place).get_by_role("checkbox").check()
    page.get_by_role("button", name="Somebody else").click()
    expect(page.locator(".counts")).to_contain_text(f"{before - 3} faces")
    page.get_by_role("link", name="People").first.click()
    expect(cards(page)).to_have_count(people + 1)


def test_photos_with_somebody_else_are_shown(open_page: OpenPage, album: str) -> None:
    page = open_page(f"#/people/{album}")
    cards(page).first.get_by_role("link").click()
    chip = page.locator(".chip").first
    together = int(chip.locator(".note").inner_text().split()[0])
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".photos .cell:visible")).to_have_count(together)


def test_somebody_is_hidden_and_shown_again(open_page: OpenPage, album: str) -> None:
    page = open_page(f"#/people/{album}")
    expect(cards(page).nth(3)).to_be_visible()
    before = cards(page).count()
    cards(page).last.get_by_role("link").click()
    page.get_by_role("button", name="Hide").click()
    expect(page.get_by_role("button", name="Show again")).to_be_visible()
    page.get_by_role("link", name="People").first.click()
    expect(cards(page)).to_have_count(before - 1)
    page.get_by_label("Show hidden people").check()
    expect(cards(page)).to_have_count(before)
