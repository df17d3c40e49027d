"""One run over an album: faces out of ledger and gallery, people back into the ledger."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from uuid import UUID

import structlog

from facefleet.errors import FacefleetError, RequestError, TransientError
from facefleet.gallery.protocol import Gallery
from facefleet.ledger.clusterings import ClusteringLease
from facefleet.ledger.engine import Ledger
from facefleet.people.album_run import AlbumRun
from facefleet.people.clustering import ClusterSettings
from facefleet.people_records import Grouped, Grouping

_FIRST_BACKOFF_S = 2.0
_LONGEST_BACKOFF_S = 300.0
_LOOK_AGAIN_S = 0.05

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class AlbumGrouper:
    """Groups the faces of albums that are due. Holds no state of its own; two at once do no harm."""

    ledger: Ledger
    gallery: Gallery
    #: How alike one person's faces look, by model version.
    settings_of: Callable[[str], ClusterSettings]
    lease_s: float

    def group(self, album_id: UUID) -> bool:
        """Group an album, or let new faces join, unless there is nothing to do or somebody else is at it.

        Never raises: what fails here is tried again later, as the ledger remembers that it is due.

        Returns:
            Whether a run ended well.
        """
        try:
            lease = self.ledger.clusterings.claim(album_id, self.lease_s)
        except FacefleetError as error:
            log.warning("album not claimed", error=str(error), reason=error.reason)
            return False
        return lease is not None and self._run(lease)

    def _run(self, lease: ClusteringLease) -> bool:
        try:
            with self._renewing(lease):
                return self._group_and_settle(lease)
        except RequestError as error:  # the album is gone
            log.info("album not grouped", error=str(error))
        except TransientError as error:
            log.warning("album not grouped yet", error=str(error), reason=error.reason)
            self._release(lease, str(error), burn_attempt=False)
        except Exception as error:
            log.exception("album not grouped")
            self._release(lease, f"grouping failed with {type(error).__name__}: {error}", burn_attempt=True)
        return False

    def _release(self, lease: ClusteringLease, detail: str, *, burn_attempt: bool) -> None:
        delay_s = min(_FIRST_BACKOFF_S * 2 ** min(lease.attempt - 1, 20), _LONGEST_BACKOFF_S)
        try:
            self.ledger.clusterings.release(lease, delay_s, detail, burn_attempt=burn_attempt)
        except FacefleetError as error:
            log.warning("album not given back; its lease will run out", error=str(error))

    def _group_and_settle(self, lease: ClusteringLease) -> bool:
        began = time.monotonic()
        groupings = self.ledger.groupings
        unseen = groupings.unseen(lease.album_id)
        version = groupings.model_version(lease.album_id)
        if version is None:
            return groupings.settle(lease, Grouped("", Grouping({}), unseen, 0.0))
        groupings.find_again(lease, version, unseen.stamps)
        run = AlbumRun(self.ledger, self.gallery, self.settings_of(version), lease, version)
        grouping = run.join(unseen.stamps) if lease.wanted_at is None else None
        if grouping is None:
            grouping = run.group_anew()
        seconds = time.monotonic() - began
        is_kept = groupings.settle(lease, Grouped(version, grouping, unseen, seconds))
        is_anew = grouping.owners is None
        log.info("album grouped", anew=is_anew, faces=len(grouping.labels), seconds=round(seconds, 3), kept=is_kept)
        return is_kept

    @contextmanager
    def _renewing(self, lease: ClusteringLease) -> Iterator[None]:
        """Renew the lease three times before it ends, for as long as the block lasts."""
        ended = Event()

        def beat() -> None:
            while not ended.wait(self.lease_s / 3):
                try:
                    self.ledger.clusterings.renew(lease, self.lease_s)
                except FacefleetError as error:
                    log.warning("lease of an album not renewed", error=str(error))

        thread = Thread(target=beat, name="grouping-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


@contextmanager
def grouper_in_thread(grouper: AlbumGrouper, max_attempts: int) -> Iterator[None]:
    """Group every album that is stale, one after the other, beside the caller; on leaving, the current one is ended.

    Args:
        grouper: does the work.
        max_attempts: an album that failed this often is left alone.
    """
    stopping = Event()

    def work() -> None:
        while not stopping.wait(_LOOK_AGAIN_S):
            try:
                due = grouper.ledger.clusterings.due(1, 0.0, 0.0, max_attempts)
            except TransientError as error:
                log.warning("waiting for the ledger", error=str(error))
                continue
            for album_id in due:
                grouper.group(album_id)

    thread = Thread(target=work, name="grouper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
