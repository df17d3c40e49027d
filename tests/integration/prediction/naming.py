"""Named people in an album, and new photos of which is asked who they show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from facefleet.metrics import Metrics
from facefleet.prediction.panels import Panels
from facefleet.prediction.photo_predictor import PhotoPredictor
from facefleet.prediction_records import Classifier, PhotoPredictions, Prediction
from facefleet.recognition.pack_files import USUAL_SIMILARITY_THRESHOLD
from facefleet.recognition.similarity import SimilarityCurve, usual_curve
from facefleet.records import photo_id_of
from tests.integration.people.bench import PeopleBench

MOST_ATTEMPTS = 3
REDISPATCH_AFTER_S = 60.0
#: Each person is on four photos.
KNOWN = {f"{who}{number}": [who] for who in ("anna", "ben", "cleo") for number in range(4)}


def curve_of(_model_version: str) -> SimilarityCurve:
    return usual_curve(USUAL_SIMILARITY_THRESHOLD)


@dataclass
class Naming:
    bench: PeopleBench
    people: dict[str, UUID] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ledger = self.bench.ledger
        self.panels = Panels(ledger, self.bench.gallery, curve_of, 1000)
        self.predictor = PhotoPredictor(ledger, self.bench.gallery, self.panels, Metrics(), 60.0)

    def name(self, *people: str) -> None:
        """Index photos of people and name them."""
        self.bench.index({photo: shown for photo, shown in KNOWN.items() if shown[0] in people})
        for who in people:
            faces = [self.bench.face(f"{who}{number}") for number in range(4)]
            self.people[who] = self.bench.ledger.people_book.create(self.bench.tenant, faces, who.title())
        self.work()

    def index(self, photos: Mapping[str, Sequence[str]]) -> None:
        self.bench.index(photos)
        self.work()

    def due(self) -> list[UUID]:
        """What the relay would send now."""
        due = self.bench.ledger.prediction_outbox.due(1000, REDISPATCH_AFTER_S, MOST_ATTEMPTS)
        return [photo_id for photo_ids in due.values() for photo_id in photo_ids]

    def work(self) -> None:
        self.predictor.predict(self.due())

    def photo_id(self, photo: str) -> UUID:
        uri = f"file:///{self.bench.album.id}/{photo}"
        return photo_id_of(self.bench.album.id, uri, "v1", self.bench.model_version)

    def show(self, photo: str) -> PhotoPredictions:
        photo_id = self.photo_id(photo)
        found = self.bench.ledger.photos.get_many([photo_id])[photo_id]
        return self.bench.ledger.predictions.of_photo(found, MOST_ATTEMPTS)

    def said(self, photo: str, place: int = 0) -> dict[Classifier, Prediction]:
        """What was said about the face at a place, from left to right."""
        faces = sorted(self.show(photo).faces, key=lambda each: each[0].box.x)
        return {each.classifier: each for each in faces[place][1]}

    def names(self, photo: str, place: int = 0) -> set[str | None]:
        """Names of which a classifier is sure."""
        return {each.name for each in self.said(photo, place).values() if each.confidence >= 0.5}
