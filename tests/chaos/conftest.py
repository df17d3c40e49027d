"""The scene that a row asks for, and what the models find in the drawn photos."""

import fcntl
import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import pytest
from PIL import Image
from xdist.remote import Producer

from demo.photo import PhotoPlan, draw_photo
from facefleet.errors import PermanentError
from facefleet.face_records import Template
from facefleet.recognition.starting import load_recognizer
from facefleet.settings import Settings
from tests.chaos.fleet import SETTINGS
from tests.chaos.lanes import LaneScheduling
from tests.chaos.opening import Truth, open_scene
from tests.chaos.scene import Scene

#: Who is in each photo: what is proven does not depend on how many faces and pixels it has, what it takes does.
_CASTS = ((1,), (1, 2), (2,), (3,), (), (4,), (2, 3), (5,), (1, 2, 3, 4, 5, 6), (5,), (3, 1), (4, 5))
_PLAN = PhotoPlan(width=640, height=480, min_face_px=70, max_face_px=210)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LaneScheduling | None:
    """For `make chaos`; whoever runs other tests beside these shares them out by file."""
    return LaneScheduling(config, log) if config.getoption("dist") == "loadscope" else None


@pytest.fixture(scope="session")
def drawings() -> dict[str, bytes]:
    """JPEG by name."""
    return {f"photo-{number:02d}.jpg": _draw(number, cast) for number, cast in enumerate(_CASTS)}


def _draw(number: int, cast: Sequence[int]) -> bytes:
    jpeg = io.BytesIO()
    Image.fromarray(draw_photo(_PLAN, cast, number)[0]).save(jpeg, "JPEG", quality=88)
    return jpeg.getvalue()


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


@pytest.fixture(scope="session")
def be_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], None]]:
    """Waits until every other process of this run has ended its fleets; the test's time limit is the bound."""
    mine = tmp_path_factory.getbasetemp()
    with (mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine).joinpath("fleets").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield lambda: fcntl.flock(lock, fcntl.LOCK_EX)


@pytest.fixture(scope="module")
def scene(
    request: pytest.FixtureRequest,
    be_alone: Callable[[], None],  # noqa: ARG001  others wait for the end of this scene
    tmp_path_factory: pytest.TempPathFactory,
    drawings: dict[str, bytes],
    truth: Truth,
    s3_endpoint: str,
) -> Iterator[Scene]:
    """A scene of the kind that is the parameter, open until a row asks for another one: an idle fleet is not free."""
    with open_scene(request.param, tmp_path_factory.mktemp(request.param), s3_endpoint, drawings, truth) as opened:
        yield opened
