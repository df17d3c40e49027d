"""The same page in front of a fleet: the services of docker-compose.yml, with keys on and photos in S3."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.composed_fleet import ComposedFleet
from tests.fixtures.processes import Processes
from tests.web.conftest import SCREENSHOTS, DemoAlbum, drop_file, wait_for_results
from tests.web.test_albums import BROKEN, create_album, send_folder
from tests.web.test_keys import sign_in

PHOTOS = 12


@pytest.fixture
def fleet(
    processes: Processes, fresh_postgres_url: str, redis_url: str, s3_endpoint: str, tmp_path: Path
) -> ComposedFleet:
    fleet = ComposedFleet(processes, fresh_postgres_url, redis_url, s3_endpoint, tmp_path)
    fleet.make_bucket()
    return fleet


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    yield page
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "test_fleet.png")
    context.close()


@pytest.fixture
def shoot(demo: DemoAlbum, tmp_path: Path) -> DemoAlbum:
    """A folder with a few photos of the demo album, and a broken one."""
    folder = tmp_path / "shoot"
    folder.mkdir()
    chosen = dict(sorted(demo.truth.photos.items())[:PHOTOS])
    for name in chosen:
        (folder / name).write_bytes((demo.folder / name).read_bytes())
    (folder / "broken.jpg").write_bytes(BROKEN)
    return replace(demo, folder=folder, truth=replace(demo.truth, photos=chosen))


def test_the_page_serves_a_fleet(page: Page, fleet: ComposedFleet, shoot: DemoAlbum, tmp_path: Path) -> None:
    url = fleet.start("api")
    fleet.start("dispatcher")
    fleet.wait_until_ready()
    sign_in(page, url, fleet.make_key(tmp_path))

    create_album(page, "party")
    send_folder(page, shoot.folder)
    expect(page.locator(".intake > .upload")).to_contain_text(f"{PHOTOS + 1} photos were sent.")
    page.goto(f"{url}/#/system")
    expect(page.get_by_text("Flower: queues and workers")).to_have_attribute("href", "http://127.0.0.1:5555")
    expect(page.locator(".facts").first).to_contain_text(str(PHOTOS + 1))  # nobody works on them yet

    page.goto(f"{url}/#/albums/party")
    fleet.start("worker")
    expect(page.locator(".trouble")).to_contain_text("1 photo could not be read", timeout=60_000)
    expect(page.locator(".cell-image.shown").first).to_be_visible(timeout=60_000)

    page.goto(f"{url}/#/find/party")
    drop_file(page, shoot.selfie(shoot.most_seen))
    wait_for_results(page)
    expect(page.locator(".found .cell-words").first).to_have_text("Almost certain")

    page.goto(f"{url}/#/people/party")
    expect(page.locator(".person-cards li").first).to_be_visible(timeout=60_000)
