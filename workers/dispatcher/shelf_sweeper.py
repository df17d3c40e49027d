"""The shelf sweeper: what was deleted among photos and faces is deleted as another model saw it as well."""

from dataclasses import dataclass

import structlog

from facefleet.gallery.protocol import Gallery
from facefleet.ledger.engine import Ledger
from facefleet.migration.migrator import sweep_shelf

#: The shelf is empty but around a migration, and is read whole.
SHELF_SWEEP_INTERVAL_S = 60.0

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class ShelfSweeper:
    """Owns no state; two at once do no harm."""

    ledger: Ledger
    gallery: Gallery

    def step(self) -> bool:
        """Sweep everything once."""
        if swept := sweep_shelf(self.ledger, self.gallery):
            log.info("shelf swept", photos_and_faces=swept)
        return False
