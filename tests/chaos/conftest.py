"""Scenes, opened when a row asks for one, and what the models find in the drawn photos."""

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TypeAlias

import pytest
from PIL import Image

from demo.album import draw_album
from facefleet.errors import PermanentError
from facefleet.face_records import Template
from facefleet.recognition.starting import load_recognizer
from facefleet.settings import Settings
from tests.chaos.fleet import SETTINGS
from tests.chaos.opening import Truth, open_scene
from tests.chaos.scene import Kind, Scene

DRAWINGS = 12

Scenes: TypeAlias = Callable[[Kind], Scene]


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
def scenes(
    tmp_path_factory: pytest.TempPathFactory, drawings: dict[str, bytes], truth: Truth, s3_endpoint: str
) -> Iterator[Scenes]:
    """Open each kind of scene once for all rows of a module."""
    opened: dict[Kind, Scene] = {}
    with ExitStack() as stack:

        def scene_of(kind: Kind) -> Scene:
            if kind not in opened:
                home = tmp_path_factory.mktemp(kind)
                opened[kind] = stack.enter_context(open_scene(kind, home, s3_endpoint, drawings, truth))
            return opened[kind]

        yield scene_of
