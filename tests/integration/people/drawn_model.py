"""A recognizer whose every model sees the people of a bench, each from elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, cast

from facefleet.face_records import RecognizedPhoto
from facefleet.migration.migrator import Migrator
from facefleet.photo_store import PhotoStores
from facefleet.recognition.recognizer import Recognizer
from facefleet.settings import Settings
from tests.integration.people.bench import DIMENSIONS, PeopleBench


@dataclass
class DrawnModel:
    """Recognizer and photo store in one: a photo's bytes are its name, and the bench knows who is on it."""

    bench: PeopleBench
    model_version: str
    dimensions: int = DIMENSIONS
    #: What reading one of these raises.
    broken: dict[str, Exception] = field(default_factory=dict)
    #: Called before each photo.
    before: Callable[[], None] = lambda: None
    #: Photos on which this model does not see the first face.
    blind: set[str] = field(default_factory=set)

    def read(self, uri: str, _version: str, _max_bytes: int) -> bytes:
        name = PurePosixPath(uri).name
        if name in self.broken:
            raise self.broken[name]
        return name.encode()

    def recognize(self, data: bytes) -> RecognizedPhoto:
        self.before()
        seer = PeopleBench(
            self.bench.ledger, self.bench.gallery, self.bench.album, self.model_version, self.bench.shown
        )
        seen = seer._recognize(data.decode())
        faces = [each for each in seen.faces if each.detection.box.x or data.decode() not in self.blind]
        return RecognizedPhoto(seen.width_px, seen.height_px, tuple(faces))


def migrator_of(bench: PeopleBench, version: str, **model: Any) -> Migrator:  # noqa: ANN401  fields
    drawn = DrawnModel(bench, version, **model)
    settings = Settings(worker_threads=1)
    return Migrator(settings, bench.ledger, bench.gallery, cast("PhotoStores", drawn), cast("Recognizer", drawn))


def see_all(migrator: Migrator) -> int:
    """See every photo; returns how many there were."""
    seen = sum(migrator.work())
    assert migrator.mend() == 0
    return seen
