"""Listing: a job's source becomes photo rows."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from threading import Event, Thread

import structlog

from facefleet.errors import FacefleetError, TransientError
from facefleet.ledger.engine import Ledger
from facefleet.photo_store import PhotoStores
from facefleet.records import Job, PhotoRef
from facefleet.settings import Settings
from workers.dispatcher.loop import repeat

_PAGE = 500
_RETRY_S = 5.0
#: A command that runs without a server waits for its own lister, and for nothing else.
_REST_BESIDE_CALLER_S = 0.02

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class Lister:
    """Owns no state: a lister that dies is followed by another, and rows that exist already are left alone."""

    ledger: Ledger
    stores: PhotoStores
    settings: Settings
    #: Photos are accepted for this model version.
    model_version: str
    #: Set when the process is to end; a listing goes on with the next process.
    stopping: Event

    def step(self) -> bool:
        """List one waiting job."""
        job = self.ledger.jobs.claim_listing(self.settings.lease_s)
        if job is None:
            return False
        try:
            self._list(job)
        except TransientError as error:
            self.ledger.jobs.postpone_listing(job.id, _RETRY_S, str(error))
            raise
        except FacefleetError as error:
            log.warning("source cannot be listed", job_id=str(job.id), source=job.source, error=str(error))
            self.ledger.jobs.fail_listing(job.id, str(error))
        return True

    def _list(self, job: Job) -> None:
        for page in pages(self.stores.list_photos(job.source)):
            self.ledger.jobs.add_photos(job.id, self.model_version, page)
            if self.stopping.is_set():
                self.ledger.jobs.postpone_listing(job.id, 0, None)
                return
            self.ledger.jobs.renew_listing(job.id, self.settings.lease_s)
        self.ledger.jobs.finish_listing(job.id)


@contextmanager
def lister_in_thread(ledger: Ledger, stores: PhotoStores, settings: Settings, model_version: str) -> Iterator[None]:
    """List beside the caller; on leaving, a listing ends after its current page and waits for the next lister."""
    stopping = Event()
    lister = Lister(ledger, stores, settings, model_version, stopping)
    thread = Thread(target=repeat, args=(lister.step, _REST_BESIDE_CALLER_S, stopping), name="lister", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def pages(refs: Iterable[PhotoRef]) -> Iterator[list[PhotoRef]]:
    """Cut a listing into transactions."""
    walk = iter(refs)
    while page := list(islice(walk, _PAGE)):
        yield page
