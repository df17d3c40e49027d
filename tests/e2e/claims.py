"""How long photos wait between their upload and the worker that claims them."""

import random
import threading
import time
from collections.abc import Callable

import sqlalchemy as sa

from facefleet.ledger.engine import Ledger
from facefleet.ledger.schema import photo

#: The promise.
CLAIMED_WITHIN_S = 30.0


def measure_claims(ledger: Ledger, uploads: int, upload: Callable[[str], object]) -> list[float]:
    """Upload at random moments; seconds from each upload's end to the moment a worker has claimed the photo."""
    arrivals, uploaded_at_s = random.Random(1), dict[str, float]()

    def upload_all() -> None:
        for number in range(uploads):
            time.sleep(arrivals.uniform(0, 0.5))  # at no fixed distance from the relay's rounds
            upload(f"albums/timed/{number}.jpg")
            uploaded_at_s[f"albums/timed/{number}.jpg"] = time.monotonic()

    claimed = sa.select(photo.c.name).where(photo.c.name.like("albums/timed/%"), photo.c.attempt > 0)
    claimed_at_s: dict[str, float] = {}
    uploader = threading.Thread(target=upload_all)
    uploader.start()
    while uploader.is_alive() or len(claimed_at_s) < uploads:
        with ledger.database.reading() as connection:
            for name in connection.execute(claimed).scalars():
                claimed_at_s.setdefault(name, time.monotonic())
        waiting = [time.monotonic() - at_s for name, at_s in list(uploaded_at_s.items()) if name not in claimed_at_s]
        assert max(waiting, default=0) < CLAIMED_WITHIN_S, "a photo was not claimed"
        time.sleep(0.01)
    return [max(claimed_at_s[name] - at_s, 0) for name, at_s in uploaded_at_s.items()]
