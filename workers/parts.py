"""What a worker is made of."""

from dataclasses import dataclass

from facefleet.people.grouping import AlbumGrouper
from facefleet.people.model_rules import ModelRules
from facefleet.prediction.panels import Panels
from facefleet.prediction.photo_predictor import PhotoPredictor
from facefleet.recognition.recognizer import Recognizer
from workers.dispatcher_parts import DispatcherParts


@dataclass(frozen=True)
class FleetParts(DispatcherParts):
    """A worker also recognizes."""

    recognizer: Recognizer


def create_grouper(parts: FleetParts) -> AlbumGrouper:
    """Make what groups the faces of albums into people."""
    rules = ModelRules(parts.settings, parts.recognizer.pack)
    return AlbumGrouper(parts.ledger, parts.gallery, rules.of, parts.settings.lease_s)


def create_predictor(parts: FleetParts) -> PhotoPredictor:
    """Make what names the people of new faces; it owns what the process has learnt about them."""
    rules = ModelRules(parts.settings, parts.recognizer.pack)
    most_faces = parts.settings.prediction_faces
    panels = Panels(parts.ledger, parts.gallery, lambda version: rules.of(version).curve, most_faces)
    return PhotoPredictor(parts.ledger, parts.gallery, panels, parts.metrics, parts.settings.lease_s)
