"""The relay of people: albums whose faces are to be grouped become messages."""

from dataclasses import dataclass

from celery import Celery
from kombu.exceptions import OperationalError

from facefleet.errors import BrokerUnavailable
from facefleet.ledger.engine import Ledger
from facefleet.settings import Settings
from workers.celery_app import queue_name
from workers.messages import send_cluster_album

_PAGE = 20


@dataclass(frozen=True)
class PeopleRelay:
    """The photos that no grouping has seen are the outbox. It sends first and marks after, as `Relay` does."""

    ledger: Ledger
    app: Celery
    settings: Settings

    def step(self) -> bool:
        """Send one page of albums."""
        clusterings, settings = self.ledger.clusterings, self.settings
        due = clusterings.due(_PAGE, settings.people_longest_wait_s, settings.redispatch_after_s, settings.max_crashes)
        for album_id in due:
            try:
                send_cluster_album(self.app, queue_name(settings, "people"), album_id)
            except (OperationalError, OSError) as error:
                raise BrokerUnavailable(f"the broker cannot be reached: {error}") from error
            clusterings.mark_dispatched(album_id)
        return len(due) == _PAGE
