"""The scene that a row asks for, and what the models find in the drawn photos."""

import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image
from xdist.remote import Producer

from demo.album import draw_album
from facefleet.errors import PermanentError
from facefleet.face_records import Template
from facefleet.recognition.starting import load_recognizer
from facefleet.settings import Settings
from tests.chaos.fleet import SETTINGS
from tests.chaos.lanes import LaneScheduling
from tests.chaos.opening import Truth, open_scene
from tests.chaos.scene import Scene

DRAWINGS = 12


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LaneScheduling | None:
    """For `make chaos`; whoever runs other tests beside these shares them out by file."""
    return LaneScheduling(config, log) if config.getoption("dist") == "loadscope" else None


@pytest.fixture(scope="session")
def drawings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    directory = tmp_path_factory.mktemp("drawings")
    draw_album(directory, photos=DRAWINGS, people=8, seed=5)
    return {path.name: _shrink(path) for path in sorted(directory.glob("*.jpg"))}


def _shrink(path: Path) -> bytes:
    """Half as wide: what is proven does not depend on pixels, and what it takes does."""
    with Image.open(path) as drawn:
        small = io.BytesIO()
        drawn.resize((drawn.width // 2, drawn.height // 2)).save(small, "JPEG", quality=88)
        return small.getvalue()


@pytest.fixture(scope="session")
def truth() -> Iterator[Truth]:
    chosen = {name: SETTINGS[name] for name in ("model_pack", "runtime", "cpu_threads", "detection_size_px")}
    with closing(load_recognizer(Settings(**chosen))) as recognizer:  # type: ignore[arg-type]  pydantic reads strings

        def recognize(data: bytes) -> list[Template] | None:
            try:
                return [face.template for face in recognizer.recognize(data).faces]
            except PermanentError:
                return None

        yield Truth(recognizer.model_version, recognize)


@pytest.fixture(scope="module")
def scene(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    drawings: dict[str, bytes],
    truth: Truth,
    s3_endpoint: str,
) -> Iterator[Scene]:
    """A scene of the kind that is the parameter, open until a row asks for another one: an idle fleet is not free."""
    with open_scene(request.param, tmp_path_factory.mktemp(request.param), s3_endpoint, drawings, truth) as opened:
        yield opened
