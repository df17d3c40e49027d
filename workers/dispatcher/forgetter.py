"""The forgetter: albums that nobody searched for as many days as their owner said are deleted, and old log rows."""

from dataclasses import dataclass

import structlog

from facefleet.ledger.audit import BY_ITSELF
from facefleet.ledger.engine import Ledger

#: Retention is counted in days.
EVERY_S = 3600.0

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class Forgetter:
    """Albums it only hides: the purger does the rest, as with every deletion."""

    ledger: Ledger
    #: Days that rows of the audit log are kept; 0: for ever.
    audit_days: int

    def step(self) -> bool:
        """Look once, and say where the audit log is: whoever keeps the logs elsewhere can tell if its end is gone."""
        for album in self.ledger.retention.due():
            self.ledger.albums.begin_delete(album.id, BY_ITSELF, "album_forgotten")
            log.info("album forgotten", album_id=str(album.id), days=album.forget_after_days)
        removed = self.ledger.retention.trim_log(self.audit_days) if self.audit_days else 0
        if removed:
            log.info("audit log trimmed", rows=removed, days=self.audit_days)
        newest = self.ledger.audit.page(1)
        if newest:
            log.info("audit log", head=f"{newest[0].sequence}:{newest[0].hash}")
        return bool(removed)
