"""A guest finds their photos."""

import io
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.web.conftest import ALBUM, DemoAlbum, OpenPage, Watch, drop_file, wait_for_results

FIND = f"#/find/{ALBUM}"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


def shown_names(page: Page) -> list[str]:
    labels = [cell.get_attribute("aria-label") or "" for cell in page.locator(".found .cell:visible .cell-main").all()]
    return [label.partition(",")[0] for label in labels]


def test_a_dropped_selfie_finds_its_person(open_page: OpenPage, demo: DemoAlbum) -> None:
    page = open_page(FIND)
    drop_file(page, demo.selfie(demo.most_seen))
    wait_for_results(page)
    names = shown_names(page)
    assert len(names) >= 3
    right = demo.photos_of(demo.most_seen)
    assert sum(name in right for name in names) >= 0.8 * len(names)
    first = page.locator(".found .cell").first
    assert first.locator(".outline").is_visible()
    assert "%" in first.locator(".cell-figure").inner_text()
    expect(first.locator(".cell-words")).to_have_text("Almost certain")


def test_a_busy_server_is_asked_again_and_then_said_to_be_busy(
    open_page: OpenPage, demo: DemoAlbum, watch: Watch
) -> None:
    watch.expected.add(503)
    page = open_page(FIND)
    waits = ["0", "0", None, "3600"]

    def refuse(route: Route) -> None:
        if not waits:
            return route.continue_()
        wait = waits.pop(0)
        headers = {"content-type": "application/problem+json"} | ({"retry-after": wait} if wait else {})
        return route.fulfill(status=503, headers=headers, body='{"type": "overloaded", "detail": "busy"}')

    page.route("**/search?*", refuse)
    drop_file(page, demo.selfie(demo.most_seen))
    for left in (["3600"], []):
        expect(page.locator(".found")).to_contain_text("The server is very busy. Try again in a moment.")
        assert waits == left
        page.get_by_role("button", name="Try again").click()
    wait_for_results(page)


def test_the_outline_lies_on_the_face(open_page: OpenPage, demo: DemoAlbum) -> None:
    """The same square around the same face, whether the page frames the photo or the test does."""
    page = open_page(FIND)
    drop_file(page, demo.selfie(demo.most_seen))
    wait_for_results(page)
    for cell in page.locator(".found .cell:visible").all()[:6]:
        name = (cell.locator(".cell-main").get_attribute("aria-label") or "").partition(",")[0]
        faces = [face.box for face in demo.truth.photos[name] if face.person == demo.most_seen]
        if not faces:
            continue
        square, outline = cell.locator(".cell-main").bounding_box(), cell.locator(".outline").bounding_box()
        assert square
        assert outline
        scale = square["height"] / 960
        assert outline["height"] / scale == pytest.approx(faces[0][3], rel=0.45)
        middle = outline["y"] - square["y"] + outline["height"] / 2
        assert middle / scale == pytest.approx(faces[0][1] + faces[0][3] / 2, abs=0.3 * faces[0][3])
        assert square["x"] - 1 <= outline["x"] <= square["x"] + square["width"]


def test_one_of_several_faces_is_chosen(open_page: OpenPage, demo: DemoAlbum) -> None:
    page = open_page(FIND)
    drop_file(page, demo.group_photo())
    wait_for_results(page)
    faces = page.get_by_role("group", name="Whom to look for").get_by_role("button")
    assert faces.count() >= 3
    assert page.locator(".face-choice[aria-pressed=true]").count() == 1
    unpressed = page.locator(".face-choice[aria-pressed=false]").first.get_attribute("aria-label")
    other = faces.and_(page.get_by_label(str(unpressed), exact=True))
    before = shown_names(page)
    other.click()
    expect(other).to_have_attribute("aria-pressed", "true")
    wait_for_results(page)
    assert shown_names(page) != before


def test_more_like_this_searches_with_the_face_itself(open_page: OpenPage, demo: DemoAlbum) -> None:
    page = open_page(FIND)
    drop_file(page, demo.selfie(demo.most_seen))
    wait_for_results(page)
    page.locator(".found .cell-more").first.click()
    page.wait_for_url("**/*face=*")
    wait_for_results(page)
    right = demo.photos_of(demo.most_seen)
    names = shown_names(page)
    assert sum(name in right for name in names) >= 0.8 * len(names)
    expect(page.locator(".probe img")).to_have_js_property("complete", value=True)


def test_selected_photos_are_saved_as_a_zip(open_page: OpenPage, demo: DemoAlbum) -> None:
    page = open_page(FIND)
    drop_file(page, demo.selfie(demo.most_seen))
    wait_for_results(page)
    chosen = shown_names(page)[:2]
    for place in range(2):
        page.locator(".found .cell-check input").nth(place).check()
    expect(page.get_by_role("region", name="Selected photos")).to_contain_text("2 photos selected")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert download.value.suggested_filename == f"{ALBUM}.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        assert sorted(archive.namelist()) == sorted(chosen)
        assert all(archive.read(name) == (demo.folder / name).read_bytes() for name in chosen)


def test_a_pasted_photo_is_searched_with(open_page: OpenPage, demo: DemoAlbum) -> None:
    page = open_page(FIND)
    content = io.BytesIO(demo.selfie(demo.most_seen).read_bytes()).getvalue()
    page.evaluate(
        """(content) => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([new Uint8Array(content)], "pasted.jpg", { type: "image/jpeg" }));
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
        }""",
        list(content),
    )
    wait_for_results(page)


def test_the_camera_takes_a_photo(open_page: OpenPage) -> None:
    """The browser's test camera shows nobody."""
    page = open_page(FIND)
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_role("button", name="Take the photo").click()
    expect(page.get_by_role("heading", name="There is no face in this photo")).to_be_visible()
    expect(page.get_by_role("button", name="Another photo")).to_be_visible()


def test_what_is_no_photo_is_said_so(open_page: OpenPage, tmp_path: Path, watch: Watch) -> None:
    page = open_page(FIND)
    note = tmp_path / "note.txt"
    note.write_text("hello")
    drop_file(page, note, "text/plain")
    expect(page.get_by_role("alert").filter(has_text="note.txt")).to_have_text("note.txt is not a photo.")
    watch.expected.add(422)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 nothing")
    drop_file(page, broken)
    expect(page.locator(".found")).to_contain_text("This file cannot be read as a photo.")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_it_works_on_a_phone(open_page: OpenPage, demo: DemoAlbum) -> None:
    page = open_page(FIND, **PHONE)
    page.locator("input[type=file]").set_input_files(demo.selfie(demo.most_seen))
    wait_for_results(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
    page.locator(".found .cell-main").first.tap()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator(".found .cell").first).to_be_visible()
