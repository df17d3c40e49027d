"""A photographer says who is who. Every test has an album of its own: what is said in one is not undone in another."""

import re
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from tests.fixtures.processes import wait_until
from tests.web.conftest import ALBUM, OTHER, PHOTOS, DemoAlbum, OpenPage, Watch

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def album(demo: DemoAlbum, request: pytest.FixtureRequest) -> str:
    """An album of the same photos, grouped."""
    return make_album(demo, request, demo.folder, PHOTOS)


@pytest.fixture
def dated_album(demo: DemoAlbum, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Photos of one person: two of 2019, three of a month of 2020, one without a date."""
    names = sorted(demo.photos_of(demo.most_seen), reverse=True)[: len(TAKEN)]
    for name, taken in zip(names, TAKEN, strict=True):
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9003] = taken
        with Image.open(demo.folder / name) as photo:
            photo.save(tmp_path / name, quality=92, exif=exif if taken else b"")
    return make_album(demo, request, tmp_path, len(TAKEN))


def make_album(demo: DemoAlbum, request: pytest.FixtureRequest, folder: Path, photos: int) -> str:
    name = f"{OTHER} {request.node.name[5:45]}"
    with httpx.Client(base_url=demo.url) as http:
        http.post("/v1/albums", json={"name": name}).raise_for_status()
        http.post(f"/v1/albums/{name}/index", json={"source": str(folder)}).raise_for_status()

        def is_grouped() -> bool:
            people = http.get(f"/v1/albums/{name}/people").json()
            grouping, is_indexed = people["clustering"], http.get(f"/v1/albums/{name}").json()["indexed"] == photos
            return is_indexed and (grouping["state"], grouping["new_photos"]) == ("done", 0) and bool(people["people"])

        wait_until(is_grouped, "the album's faces are grouped", 120)
    return name


#: The later the name, the earlier: the order is that of time.
TAKEN = (
    "2019:06:01 15:30:00",
    "2019:07:01 09:00:00",
    "2020:01:05 09:00:00",
    "2020:01:05 10:00:00",
    "2020:01:06 10:00:00",
    "",
)


def cards(page: Page) -> Locator:
    return page.locator(".person-card")


def count_of(card: Locator) -> int:
    note = card.locator(".note")
    expect(note).to_contain_text("photo")
    return int((note.text_content() or "").split()[0])  # the inner text of what is not laid out yet is empty


def test_somebody_is_named_and_the_name_is_on_their_photos(open_page: OpenPage, album: str) -> None:
    page = open_page(f"#/people/{album}")
    cards(page).first.get_by_role("link").click()
    undo = page.locator(".person-head").get_by_role("button", name="Undo")
    name = page.get_by_role("button", name="Add a name")
    expect(name).to_be_visible()
    expect(undo).to_have_count(0)
    name.click()
    page.get_by_role("dialog").get_by_role("textbox").fill("Ada Lovelace")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Ada Lovelace")).to_be_visible()
    page.locator(".photos .cell-main").first.click()
    viewer = page.get_by_role("dialog")
    expect(viewer.get_by_role("link", name="Ada Lovelace")).to_be_visible()
    expect(viewer.locator(".face-mark.meant")).to_have_text("Ada Lovelace")
    page.keyboard.press("Escape")
    undo.click()
    expect(page.get_by_role("heading", level=1, name="No name yet")).to_be_visible()
    expect(undo).to_have_count(0)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (f"#/people/{ALBUM}/{UNKNOWN}", "This person is not here any more."),
        (f"#/people/{ALBUM}/somebody", "This person is not here any more."),
        (f"#/people/deleted/{UNKNOWN}", "There is no such album."),
        ("#/people/deleted", "There is no such album."),
        ("#/find/deleted", "There is no such album."),
        ("#/albums/100%", "There is no such album."),
    ],
)
def test_an_address_of_nothing_shows_nothing_else(open_page: OpenPage, watch: Watch, address: str, said: str) -> None:
    watch.expected.add(404)
    expect(open_page(address).locator("main")).to_contain_text(said)


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


def test_who_leaves_while_a_change_is_shown_hears_nothing_and_who_stays_hears_what_failed(
    open_page: OpenPage, album: str, watch: Watch
) -> None:
    watch.expected.add(500)
    page = open_page(f"#/people/{album}")
    cards(page).last.get_by_role("link").click()
    expect(page.locator(".photos .cell-image.shown").first).to_be_visible()
    page.route("**/v1/people/*/photos?*", lambda route: route.fulfill(status=500, body="{}"))
    page.get_by_role("button", name="Hide").click()
    expect(page.get_by_role("alert")).to_contain_text("500")
    page.unroute_all()
    page.route("**/v1/people/*/photos?*", lambda _: None)  # never answered
    page.get_by_role("button", name="Show again").click()
    expect(page.get_by_role("button", name="Hide")).to_be_visible()
    page.get_by_role("link", name="People").first.click()
    expect(cards(page).first).to_be_visible()


def test_photos_are_in_the_order_of_time_and_found_by_it(open_page: OpenPage, dated_album: str) -> None:
    page = open_page(f"#/people/{dated_album}")
    cards(page).first.get_by_role("link").click()
    times = page.get_by_role("navigation", name="Over time").get_by_role("button")
    expect(times).to_have_text(
        [
            "1 Jun 2019 1 photo",
            "1 Jul 2019 1 photo",
            "5 Jan 2020 2 photos",
            "6 Jan 2020 1 photo",
            "Date unknown 1 photo",
        ]
    )
    times.nth(2).click()
    expect(page.locator(".photos .cell-main:focus")).to_have_attribute("aria-label", re.compile("5 Jan 2020"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("5 Jan 2020, 09:00")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.evaluate("scrollTo(0, 0)")


def test_a_suggestion_is_refused_confirmed_and_taken_back(open_page: OpenPage, demo: DemoAlbum, album: str) -> None:
    with httpx.Client(base_url=demo.url) as http:
        ada, ben = [each["person_id"] for each in http.get(f"/v1/albums/{album}/people?limit=2").json()["people"]]
        http.patch(f"/v1/people/{ada}", json={"name": "Ada"}).raise_for_status()
        with_ada, with_ben = [
            {each["photo_id"]: each for each in http.get(f"/v1/people/{person}/photos").json()["photos"]}
            for person in (ada, ben)
        ]
    photo = next(each for photo_id, each in with_ben.items() if photo_id not in with_ada)

    def predict(route: Route) -> None:
        said = [
            {"classifier": "fast", "person_id": None, "name": None, "confidence": 0.4},
            {"classifier": "accurate", "person_id": ada, "name": "Ada", "confidence": 0.931},
        ]
        route.fulfill(json={"faces": [{"face_id": photo["face_ids"][0], "predictions": said}]})

    page = open_page(None)
    page.route("**/v1/photos/*/predictions", predict)
    page.goto(f"{demo.url}/#/people/{album}/{ben}")
    page.get_by_role("button", name=photo["photo"]).first.click()
    viewer = page.get_by_role("dialog")
    expect(viewer.locator(".suggestion")).to_contain_text("Maybe Ada (93%)")
    expect(viewer.locator(".face-mark", has_text="Ada?")).to_have_count(1)
    viewer.get_by_role("button", name="No, this is not Ada").click()
    expect(viewer.get_by_role("status")).to_contain_text("This is not Ada.")
    viewer.get_by_role("button", name="Yes, this is Ada").click()
    expect(viewer.get_by_role("link", name="Ada")).to_be_visible()
    expect(viewer.locator(".suggestion")).to_have_count(0)
    viewer.get_by_role("button", name="Undo").click()
    expect(viewer.locator(".suggestion")).to_be_visible()
