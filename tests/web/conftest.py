"""A real browser on a real server with the demo album. `make test-web` runs this folder; `make test` does not."""

import base64
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

from demo.album import AlbumTruth, draw_album, draw_selfie, write_jpeg
from tests.fixtures.processes import Processes, clean_environment, free_port, wait_until

SCREENSHOTS = Path("web-screenshots")
ALBUM = "wedding"
#: Begins the names of albums that tests make: they come after the demo album, which the page begins with.
OTHER = "zz"
PHOTOS, PEOPLE, SEED = 72, 10, 3
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
#: A camera that shows a test picture, and no request but the page's own.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


@dataclass(frozen=True)
class DemoAlbum:
    """The drawn album, indexed, and selfies of people who are in it."""

    url: str
    folder: Path
    truth: AlbumTruth

    def photos_of(self, person: str) -> set[str]:
        return {name for name, faces in self.truth.photos.items() if person in {face.person for face in faces}}

    @property
    def most_seen(self) -> str:
        return max(self.truth.person_seeds, key=lambda person: len(self.photos_of(person)))

    def selfie(self, person: str) -> Path:
        path = self.folder.parent / f"selfie-{person}.jpg"
        if not path.exists():
            write_jpeg(path, draw_selfie(self.truth.person_seeds[person], 7))
        return path

    def group_photo(self) -> Path:
        return self.folder / max(self.truth.photos, key=lambda name: len(self.truth.photos[name]))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = next((found for found in map(shutil.which, BROWSERS) if found), None)
    assert path, "the tests of the web page need Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoAlbum]:
    """`facefleet up` with the drawn album, as a person starts it."""
    place = tmp_path_factory.mktemp("demo")
    truth = draw_album(place / "album", photos=PHOTOS, people=PEOPLE, seed=SEED, processes=2)
    processes = Processes(place)
    port = free_port()
    environment = clean_environment(data_dir=str(place / "data"), model_pack="demo", cpu_threads="2")
    processes.start("up", "--port", str(port), "--no-open", env=environment)
    demo = DemoAlbum(f"http://127.0.0.1:{port}", place / "album", truth)
    try:
        wait_until(lambda: _is_ready(demo.url), "the server is ready")
        with httpx.Client(base_url=demo.url) as http:
            http.post("/v1/albums", json={"name": ALBUM}).raise_for_status()
            http.post(f"/v1/albums/{ALBUM}/index", json={"source": str(demo.folder)}).raise_for_status()
            wait_until(lambda: http.get(f"/v1/albums/{ALBUM}").json()["indexed"] == PHOTOS, "all is indexed", 120)
        yield demo
    finally:
        processes.stop_all()


@dataclass
class Watch:
    """What no page may do, whatever a test does with it."""

    url: str
    complaints: list[str] = field(default_factory=list)
    #: Answers of 400 and more that a test is about.
    expected: set[int] = field(default_factory=set)

    def note_console(self, message: ConsoleMessage) -> None:
        is_answer = message.text.startswith("Failed to load resource") and any(
            f"status of {status}" in message.text for status in self.expected
        )
        if message.type in {"error", "warning"} and not is_answer:
            self.complaints.append(f"{message.type}: {message.text}")

    def note_request(self, request: Request) -> None:
        if not request.url.startswith((self.url, "blob:")):
            self.complaints.append(f"asked a third party: {request.url}")

    def note_response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.complaints.append(f"{response.status} for {response.url}")


# On a busy machine a search may take longer than the usual 5 s: how long is measured by `make bench-web`.
expect.set_options(timeout=20_000)

OpenPage: TypeAlias = Callable[..., Page]


@pytest.fixture
def watch(demo: DemoAlbum) -> Watch:
    return Watch(demo.url)


@pytest.fixture
def open_page(chromium: Browser, demo: DemoAlbum, watch: Watch, request: pytest.FixtureRequest) -> Iterator[OpenPage]:
    """Open the page at an address; what it shows at the end of the test is kept as a picture."""
    contexts: list[BrowserContext] = []

    def opened(address: str | None = "", **options: Any) -> Page:  # noqa: ANN401  as Playwright has it
        usual = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", "accept_downloads": True}
        context = chromium.new_context(**(usual | options))
        contexts.append(context)
        page = context.new_page()
        page.on("console", watch.note_console)
        page.on("pageerror", lambda error: watch.complaints.append(f"exception: {error}"))
        page.on("request", watch.note_request)
        page.on("response", watch.note_response)
        if address is not None:
            page.goto(f"{demo.url}/{address}")
        return page

    yield opened
    SCREENSHOTS.mkdir(exist_ok=True)
    for context in contexts:
        for number, page in enumerate(context.pages):
            page.screenshot(path=SCREENSHOTS / f"{request.node.name}-{number}.png")
        context.close()
    assert watch.complaints == []


def drop_file(page: Page, path: Path, media_type: str = "image/jpeg") -> None:
    """Drop a file on the page, as a mouse would."""
    page.wait_for_selector(".drop-area, .probe-bar")
    page.evaluate(
        """([name, type, content]) => {
            const bytes = Uint8Array.from(atob(content), (each) => each.charCodeAt(0));
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([bytes], name, { type }));
            document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        [path.name, media_type, base64.b64encode(path.read_bytes()).decode()],
    )


def wait_for_results(page: Page) -> None:
    page.wait_for_selector(".found .cell-image.shown")


def _is_ready(url: str) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(f"{url}/readyz").status_code == 200
    return False
