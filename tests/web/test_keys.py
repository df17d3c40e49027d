"""Where keys are on, the page asks for one, and shows what it opens."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fixtures.processes import Processes, clean_environment, free_port, run_facefleet, wait_until
from tests.web.conftest import SCREENSHOTS


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    place = tmp_path_factory.mktemp("keys")
    return clean_environment(
        data_dir=str(place / "data"), model_pack="demo", cpu_threads="2", master_secret="m" * 40, link_secret="l" * 40
    )


@pytest.fixture(scope="module")
def url(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    processes = Processes(tmp_path_factory.mktemp("logs"))
    port = free_port()
    processes.start("up", "--port", str(port), "--no-open", env=environment)
    url = f"http://127.0.0.1:{port}"

    def is_ready() -> bool:
        try:
            return httpx.get(f"{url}/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    try:
        wait_until(is_ready, "the server is ready")
        yield url
    finally:
        processes.stop_all()


def make_key(environment: dict[str, str], folder: Path, *scopes: str) -> str:
    options = [option for scope in scopes for option in ("--scope", scope)]
    done = run_facefleet("keys", "create", "a test", *options, env=environment, cwd=folder)
    found = re.search(r"FFK\w+_[0-9a-f]{64}", done.stdout + done.stderr)
    assert found, done.stderr
    return found.group()


@pytest.fixture
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    yield page
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{request.node.name}.png")
    context.close()


def sign_in(page: Page, url: str, key: str) -> None:
    page.goto(f"{url}/#/albums")
    page.get_by_label("Key").fill(key)
    page.get_by_role("button", name="Sign in").click()


def test_a_key_opens_the_page_until_its_owner_leaves(
    page: Page, url: str, environment: dict[str, str], tmp_path: Path
) -> None:
    sign_in(page, url, "FFKNOBODY_0")
    expect(page.get_by_role("alert").filter(has_text="key")).to_contain_text("This key is not known here")
    key = make_key(environment, tmp_path, "admin")
    page.get_by_label("Key").fill(key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="New album").first).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="New album").first).to_be_visible()
    assert key not in page.evaluate("document.cookie + JSON.stringify(localStorage)")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_guest_sees_nothing_that_the_server_would_refuse(
    page: Page, url: str, environment: dict[str, str], tmp_path: Path
) -> None:
    owner = {"X-Api-Key": make_key(environment, tmp_path, "admin")}
    httpx.post(f"{url}/v1/albums", json={"name": "party"}, headers=owner).raise_for_status()
    sign_in(page, url, make_key(environment, tmp_path, "read"))
    expect(page.get_by_role("link", name="party")).to_be_visible()
    expect(page.get_by_role("button", name="New album")).to_have_count(0)
    page.get_by_role("link", name="party").click()
    expect(page.get_by_role("link", name="Find someone")).to_be_visible()
    expect(page.get_by_role("button", name="Add photos")).to_have_count(0)
    expect(page.get_by_role("button", name="Delete the album")).to_have_count(0)
