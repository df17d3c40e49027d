"""A photographer fills an album and sees what becomes of it."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.web.conftest import ALBUM, OTHER, PHOTOS, DemoAlbum, OpenPage, Watch

BROKEN = b"\xff\xd8\xff\xe0 this was a photo once"


@pytest.fixture
def folder(demo: DemoAlbum, tmp_path: Path) -> Path:
    """A folder of nine photos, one of them broken, and a note."""
    shoot = tmp_path / "shoot"
    (shoot / "church").mkdir(parents=True)
    for place, photo in enumerate(sorted(demo.folder.glob("*.jpg"))[:8]):
        (shoot / ("church" if place % 2 else ".") / f"IMG {place} ñ.jpg").write_bytes(photo.read_bytes())
    (shoot / "broken.jpg").write_bytes(BROKEN)
    (shoot / "notes.txt").write_text("hello")
    return shoot


@pytest.fixture
def new_album(request: pytest.FixtureRequest) -> str:
    return f"{OTHER} {request.node.name[5:45]} ä&?#"


def create_album(page: Page, name: str) -> None:
    page.get_by_role("button", name="New album").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("dialog").get_by_role("button", name="New album").click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def send_folder(page: Page, folder: Path) -> None:
    page.locator("input[webkitdirectory]").set_input_files(folder)


def intercept_photos(page: Page, handle: Callable[[Route], None]) -> None:
    """Put something between the page and the route that takes photos."""

    def each(route: Route) -> None:
        if route.request.method == "POST":
            handle(route)
        else:
            route.continue_()

    page.route(re.compile(r"/photos(\?|$)"), each)


def test_a_folder_is_sent_indexed_and_what_is_broken_said_so(
    open_page: OpenPage, demo: DemoAlbum, folder: Path, new_album: str, watch: Watch
) -> None:
    watch.expected.add(422)  # the picture of a photo that is none
    page = open_page("#/albums")
    create_album(page, new_album)
    send_folder(page, folder)
    expect(page.locator(".intake > .upload")).to_contain_text("9 photos were sent.", timeout=30_000)
    expect(page.get_by_role("status").filter(has_text="not a photo")).to_have_text(
        "1 file is not a photo and was left out."
    )
    expect(page.locator(".trouble")).to_contain_text("1 photo could not be read", timeout=60_000)
    expect(page.locator(".counts")).to_contain_text("9 photos")
    page.get_by_role("button", name="Show them").click()
    dead = page.locator(".dead-list li")
    expect(dead).to_have_count(1)
    expect(dead).to_contain_text("shoot/broken.jpg")
    expect(dead).to_contain_text("This file cannot be read as a photo.")
    page.get_by_role("button", name="Show all").click()
    page.get_by_role("button", name="shoot/broken.jpg").click()
    expect(page.get_by_role("dialog")).to_contain_text("This file cannot be read as a photo.")
    page.keyboard.press("Escape")
    listed = httpx.get(f"{demo.url}/v1/albums/{quote(new_album)}/photos").json()["photos"]
    assert {photo["photo"] for photo in listed} == {
        "shoot/" + str(path.relative_to(folder)) for path in folder.rglob("*.jpg")
    }
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("status").filter(has_text="tried again")).to_be_visible()
    expect(page.locator(".trouble")).to_contain_text("1 photo could not be read", timeout=60_000)


def test_an_upload_that_was_cut_goes_on_where_it_ended(
    open_page: OpenPage, demo: DemoAlbum, folder: Path, new_album: str, watch: Watch
) -> None:
    """The page is closed after the first photos; the same folder again sends only the others."""
    page = open_page("#/albums")
    create_album(page, new_album)
    first = sorted(folder.rglob("*.jpg"))[:3]
    with httpx.Client(base_url=demo.url) as http:
        for path in first:
            name = "shoot/" + str(path.relative_to(folder))
            http.post(
                f"/v1/albums/{quote(new_album)}/photos",
                params={"name": name},
                content=path.read_bytes(),
                headers={"Content-Type": "image/jpeg"},
            ).raise_for_status()
    cuts = iter([True, False])
    watch.expected.update({422, 503})

    def cut_once(route: Route) -> None:
        if next(cuts, False):
            route.fulfill(status=503, body='{"type": "overloaded", "detail": "busy"}')
        else:
            route.continue_()

    intercept_photos(page, cut_once)
    send_folder(page, folder)
    expect(page.locator(".intake > .upload")).to_contain_text(
        "The server does not answer. The upload goes on when it does."
    )
    expect(page.locator(".intake > .upload")).to_contain_text(
        "6 photos were sent. 3 photos were here already.", timeout=30_000
    )
    assert httpx.get(f"{demo.url}/v1/albums/{quote(new_album)}").json()["photos"] == 9


def test_an_upload_can_be_paused(open_page: OpenPage, folder: Path, new_album: str, watch: Watch) -> None:
    watch.expected.add(422)
    page = open_page("#/albums")
    create_album(page, new_album)
    held: list[Route] = []
    intercept_photos(page, lambda route: route.continue_() if len(held) else held.append(route))
    send_folder(page, folder)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".intake > .upload")).to_contain_text("Paused")
    held[0].continue_()
    expect(page.locator(".intake > .upload")).to_contain_text("8 of 9")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(".intake > .upload")).to_contain_text("9 photos were sent.", timeout=30_000)


def test_a_folder_of_the_server_is_indexed_live(open_page: OpenPage, demo: DemoAlbum, new_album: str) -> None:
    page = open_page("#/albums")
    create_album(page, new_album)
    page.get_by_text("Photos that are in S3 or on the server").click()
    page.get_by_label("A bucket and what the keys begin with").fill(str(demo.folder))
    page.get_by_role("button", name="Index").click()
    expect(page.get_by_role("progressbar").first).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="indexed.")).to_have_text(
        f"{PHOTOS} photos are indexed.", timeout=90_000
    )
    expect(page.locator(".counts")).to_contain_text(f"{PHOTOS} photos")
    page.get_by_role("button", name="Delete the album").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the album").click()
    expect(page.get_by_role("heading", name="Albums")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("link", name=new_album)).to_have_count(0)


def test_a_source_that_cannot_be_listed_says_why(open_page: OpenPage, new_album: str, watch: Watch) -> None:
    page = open_page("#/albums")
    create_album(page, new_album)
    page.get_by_text("Photos that are in S3 or on the server").click()
    page.get_by_label("A bucket and what the keys begin with").fill("/no/such/folder")
    watch.expected.add(422)
    page.get_by_role("button", name="Index").click()
    expect(page.get_by_role("alert").filter(has_text="no such folder")).to_be_visible()


def test_a_photo_shows_its_faces_and_their_scores(open_page: OpenPage, demo: DemoAlbum) -> None:
    page = open_page(f"#/albums/{ALBUM}")
    name = demo.group_photo().name
    page.get_by_role("button", name=name).first.click()
    viewer = page.get_by_role("dialog")
    expect(viewer.get_by_role("heading", name=name)).to_be_visible()
    assert viewer.locator(".face-mark").count() >= 3
    assert viewer.locator(".face-mark").count() == viewer.locator(".face-card").count()
    expect(viewer.locator(".viewer-image")).to_have_js_property("complete", value=True)
    scores = viewer.locator(".scores").first
    expect(scores).to_be_hidden()
    viewer.get_by_label("Show scores").check()
    expect(scores).to_contain_text("Detection")
    viewer.get_by_label("Outline faces").uncheck()
    expect(viewer.locator(".face-mark").first).to_have_css("opacity", "0")
    page.keyboard.press("ArrowRight")
    expect(viewer.get_by_role("heading", name=name)).to_have_count(0)
    page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)


def test_the_system_is_shown(open_page: OpenPage) -> None:
    page = open_page("#/system")
    expect(page.locator(".cards")).to_contain_text("demo")
    expect(page.locator(".cards")).to_contain_text("It knows drawn people only.")
    expect(page.locator(".checks .ok")).to_have_count(5)
    expect(page.get_by_role("link", name="Description of the API")).to_be_visible()
    expect(page.get_by_role("link", name="Flower")).to_have_count(0)
