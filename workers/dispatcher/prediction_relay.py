"""The relay of predictions: photos whose faces are to be predicted become messages."""

from dataclasses import dataclass

from celery import Celery
from kombu.exceptions import OperationalError

from facefleet.errors import BrokerUnavailable
from facefleet.ledger.engine import Ledger
from facefleet.settings import Settings
from workers.celery_app import queue_name
from workers.messages import send_predict_photos

#: Photos that are sent in one step, and photos in one message: some ten milliseconds of work.
_PAGE, _MESSAGE = 512, 64


@dataclass(frozen=True)
class PredictionRelay:
    """Rows of photos without predictions are the outbox. It sends first and marks after, as `Relay` does.

    Predictions take the lane of ordinary work: whole albums that are grouped would keep them waiting for minutes, and
    nobody who searches or uploads a photo should wait for them.
    """

    ledger: Ledger
    app: Celery
    settings: Settings

    def step(self) -> bool:
        """Send one page of photos."""
        outbox = self.ledger.prediction_outbox
        due = outbox.due(_PAGE, self.settings.redispatch_after_s, self.settings.max_attempts)
        for album_id, photo_ids in due.items():
            for start in range(0, len(photo_ids), _MESSAGE):
                message = photo_ids[start : start + _MESSAGE]
                try:
                    send_predict_photos(self.app, queue_name(self.settings, "index"), album_id, message)
                except (OperationalError, OSError) as error:
                    raise BrokerUnavailable(f"the broker cannot be reached: {error}") from error
                outbox.mark_dispatched(message)
        return sum(map(len, due.values())) == _PAGE
