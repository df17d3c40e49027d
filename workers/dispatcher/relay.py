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
        stale_after_s = self.settings.redispatch_after_s
        room = self.settings.runway_photos - self.ledger.leases.runway(stale_after_s)
        if room > 0:
            messages = self.ledger.leases.waiting(room, stale_after_s, self.settings.photos_per_message)
            for album_id, photo_ids in messages:
                self._send(album_id, photo_ids)
        return False

    def _send(self, album_id: UUID, photo_ids: list[UUID]) -> None:
        try:
            send_index_photos(self.app, album_id, photo_ids)
        except (OperationalError, OSError) as error:
            raise BrokerUnavailable(f"the broker cannot be reached: {error}") from error
        self.ledger.leases.mark_dispatched(photo_ids)
