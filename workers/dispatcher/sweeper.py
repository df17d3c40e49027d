"""The sweeper: leases whose worker fell silent go back to the queue, or to the dead."""

from dataclasses import dataclass

import structlog

from facefleet.ledger.engine import Ledger
from facefleet.metrics import Metrics
from facefleet.settings import Settings

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class Sweeper:
    """Runs in every dispatcher; two at once do no harm."""

    ledger: Ledger
    settings: Settings
    metrics: Metrics

    def step(self) -> bool:
        """Sweep once."""
        swept = self.ledger.leases.sweep(self.settings.max_crashes)
        if swept.requeued or swept.dead:
            self.metrics.lease_expiries.inc(swept.requeued + swept.dead)
            log.warning("leases expired", requeued=swept.requeued, dead=swept.dead)
        self.ledger.ingest.forget_old()
        self.metrics.show_backlog(self.ledger.leases.backlog_by_lane(self.settings.interactive_photos))
        return False
