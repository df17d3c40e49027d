"""The relay: pending rows become messages, fair between albums, with a bounded runway in the broker."""

from dataclasses import dataclass, field
from uuid import UUID

from celery import Celery
from kombu.exceptions import OperationalError

from facefleet.errors import BrokerUnavailable
from facefleet.failpoints import Failpoints
from facefleet.ledger.engine import Ledger
from facefleet.settings import Settings
from workers.celery_app import Lane, queue_name
from workers.messages import send_index_photos


@dataclass(frozen=True)
class Relay:
    """The photo table is the outbox. It sends first and marks after: dying in between sends twice, never not at all."""

    ledger: Ledger
    app: Celery
    settings: Settings
    failpoints: Failpoints = field(default_factory=Failpoints)

    def step(self) -> bool:
        """Fill the runway once; what is urgent finds room for a message even when it is full."""
        leases, message_size = self.ledger.leases, self.settings.photos_per_message
        stale_after_s = self.settings.redispatch_after_s
        room = self.settings.runway_photos - leases.runway(stale_after_s)
        for album_id, photo_ids in leases.urgent(max(room, message_size), message_size):
            self._send("interactive", album_id, photo_ids)
            room -= len(photo_ids)
        if room > 0:
            messages = leases.waiting(room, stale_after_s, message_size)
            small = leases.small_albums({album_id for album_id, _ in messages}, self.settings.interactive_photos)
            for album_id, photo_ids in messages:
                self._send("interactive" if album_id in small else "index", album_id, photo_ids)
        return False

    def _send(self, lane: Lane, album_id: UUID, photo_ids: list[UUID]) -> None:
        try:
            send_index_photos(self.app, queue_name(self.settings, lane), album_id, photo_ids)
        except (OperationalError, OSError) as error:
            raise BrokerUnavailable(f"the broker cannot be reached: {error}") from error
        self.failpoints.hit("after_send")
        self.ledger.leases.mark_dispatched(photo_ids)
