"""The relay: pending rows become messages, fair between albums, with a bounded runway in the broker."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

from celery import Celery
from kombu.exceptions import BatchPublishError, OperationalError

from facefleet.errors import BrokerUnavailable
from facefleet.failpoints import Failpoints
from facefleet.ledger.engine import Ledger
from facefleet.ledger.message_sizes import MessageSizes
from facefleet.settings import Settings
from workers.celery_app import Lane, queue_name
from workers.messages import send_index_photos

#: Messages that are sent and marked together, which costs as much as one alone. Some may be claimed by then.
_MARKED_TOGETHER = 8

_Message: TypeAlias = tuple[Lane, UUID, list[UUID]]


@dataclass(frozen=True)
class Relay:
    """The photo table is the outbox. It sends first and marks after: dying in between sends twice, never not at all."""

    ledger: Ledger
    app: Celery
    settings: Settings
    failpoints: Failpoints = field(default_factory=Failpoints)

    def step(self) -> bool:
        """Fill the runway once; what is urgent finds room for a message even when it is full."""
        leases, sizes = self.ledger.leases, MessageSizes.of(self.settings)
        stale_after_s = self.settings.redispatch_after_s
        if not leases.has_unsent(stale_after_s):
            return False
        room = self.settings.runway_photos - leases.runway(stale_after_s)
        urgent = leases.urgent(max(room, sizes.few), sizes.few)
        self._send([("interactive", *message) for message in urgent])
        room -= sum(len(photo_ids) for _, photo_ids in urgent)
        if room > 0:
            messages = leases.waiting(room, stale_after_s, sizes)
            albums = {album_id for album_id, _ in messages}
            small = leases.small_albums(albums, self.settings.interactive_photos) if albums else set()
            self._send([("interactive" if message[0] in small else "index", *message) for message in messages])
        return False

    def _send(self, messages: Sequence[_Message]) -> None:
        for start in range(0, len(messages), _MARKED_TOGETHER):
            some = messages[start : start + _MARKED_TOGETHER]
            addressed = [(queue_name(self.settings, lane), album_id, ids) for lane, album_id, ids in some]
            try:
                send_index_photos(self.app, addressed)
            except (OperationalError, BatchPublishError, OSError) as error:
                raise BrokerUnavailable(f"the broker cannot be reached: {error}") from error
            self.failpoints.hit("after_send")
            self.ledger.leases.mark_dispatched([photo_id for *_, photo_ids in some for photo_id in photo_ids])
