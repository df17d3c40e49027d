"""What the dispatcher is made of, and every worker too. Loads nothing that looks at images."""

from dataclasses import dataclass

from facefleet.gallery.protocol import Gallery
from facefleet.ledger.engine import Ledger
from facefleet.metrics import Metrics
from facefleet.photo_store import PhotoStores
from facefleet.settings import Settings


@dataclass(frozen=True)
class DispatcherParts:
    """Built and closed by who starts the process; safe in several threads."""

    settings: Settings
    ledger: Ledger
    gallery: Gallery
    stores: PhotoStores
    metrics: Metrics
    #: Photos are accepted for this model version.
    model_version: str
