"""The relay: pending rows become messages, fair between albums, with a bounded runway in the broker."""

from dataclasses import dataclass
from uuid import UUID

from celery import Celery
from kombu.exceptions import OperationalError

from facefleet.errors import BrokerUnavailable
from facefleet.ledger.engine import Ledger
from facefleet.settings import Settings
from workers.tasks import send_index_photos


@dataclass(frozen=True)
class Relay:
    """The photo table is the outbox. It sends first and marks after: dying in between sends twice, never not at all."""

    ledger: Ledger
    app: Celery
    settings: Settings

    def step(self) -> bool:
        """Fill the runway once."""
        room = self.settings.runway_photos - self.ledger.leases.runway()
        if room > 0:
            for album_id, photo_ids in self.ledger.leases.waiting(room, self.settings.redispatch_after_s):
                self._send(album_id, photo_ids)
        return False

    def _send(self, album_id: UUID, photo_ids: list[UUID]) -> None:
        size = self.settings.photos_per_message
        for start in range(0, len(photo_ids), size):
            message = photo_ids[start : start + size]
            try:
                send_index_photos(self.app, album_id, message)
            except (OperationalError, OSError) as error:
                raise BrokerUnavailable(f"the broker cannot be reached: {error}") from error
            self.ledger.leases.mark_dispatched(message)
