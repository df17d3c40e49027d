"""One message: claim its photos, recognize each, write all, settle all. Each photo succeeds or fails alone."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import Event
from uuid import UUID

import structlog
from structlog.contextvars import bound_contextvars

from facefleet.errors import (
    AccessDenied,
    AttemptsExhausted,
    FacefleetError,
    GalleryNotPrepared,
    LedgerUnavailable,
    PermanentError,
    PhotoChanged,
    PhotoNotFound,
    RecognizerUnavailable,
    TransientError,
)
from facefleet.photo_store.uris import scheme_of
from facefleet.records import FailedPhoto, FinishedPhoto, GalleryPoint, LeasedPhoto, face_id_of
from workers.outcomes import Outcome, PostponedPhoto, ReplacedPhoto
from workers.parts import FleetParts
from workers.read_ahead import Read
from workers.safeguards import Safeguards

_LONGEST_BACKOFF_S = 300.0
_SETTLE_RETRY_S = 1.0

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class PhotoIndexer:
    """Turns photo ids into ledger rows and gallery points. Holds no state of its own; called from many threads."""

    parts: FleetParts
    #: Set when the process is to end: messages that have not begun are left to the ledger.
    stopping: Event
    #: Called once the recognizer is out of service, so that the process can leave the fleet.
    retire: Callable[[], None]
    guards: Safeguards

    def index(self, photo_ids: Sequence[UUID]) -> None:
        """Work on the photos of one message. Never raises: what fails here, the ledger's sweeper brings back."""
        try:
            self.guards.breakers.wait(self.stopping)
            with self._company_of(photo_ids):
                self._claim_and_work(photo_ids)
        except FacefleetError as error:
            log.warning("message given up", error=str(error), reason=error.reason, photos=len(photo_ids))
        except Exception:
            # A defect of ours must not end the consumer; the leases run out and the sweeper counts it.
            log.exception("message failed", photos=len(photo_ids))

    def _company_of(self, photo_ids: Sequence[UUID]) -> AbstractContextManager[None]:
        """Have a photo that a worker died on worked on by itself, or its neighbours would be suspected, too."""
        solitude = self.guards.solitude
        if len(photo_ids) > 1:  # a suspect comes alone
            return solitude.among_others()
        known = self.parts.ledger.photos.get_many(photo_ids).values()
        return solitude.alone() if any(photo.crash_count for photo in known) else solitude.among_others()

    def _claim_and_work(self, photo_ids: Sequence[UUID]) -> None:
        if self.stopping.is_set():
            self.parts.ledger.leases.recall(photo_ids)
            return
        with self.parts.metrics.stage_duration_s.labels("claim").time():
            leased = self.parts.ledger.leases.claim(photo_ids, self.parts.settings.lease_s)
        self.guards.failpoints.hit("after_claim")
        with self.guards.keeper.hold(leased) as note_progress:
            outcomes = self._work_on(leased, note_progress)
            self._settle_patiently(outcomes)
            self._give_back(leased[len(outcomes) :])

    def _work_on(self, leased: Sequence[LeasedPhoto], note_progress: Callable[[], None]) -> list[Outcome]:
        """Work on one photo after the other; on fewer when the process is to end, or a dependency is down."""
        outcomes: list[Outcome] = []
        with self.guards.read_ahead.over(leased, self._read) as read:
            for photo in leased:
                if self.stopping.is_set():
                    break
                note_progress()
                with bound_contextvars(photo_id=str(photo.id)):
                    outcomes.append(self._work_on_one(photo, read))
                if isinstance(outcomes[-1], PostponedPhoto) and self.guards.breakers.any_open:
                    break
        return outcomes

    def _give_back(self, unbegun: Sequence[LeasedPhoto]) -> None:
        delay_s = 0 if self.stopping.is_set() else self.parts.settings.retry_backoff_s
        for photo in unbegun:
            self.parts.ledger.leases.release(photo, delay_s, burn_attempt=False)

    def _work_on_one(self, photo: LeasedPhoto, read: Read) -> Outcome:
        try:
            self.guards.failpoints.hit("before_photo", photo.name)
            self._refuse_other_model(photo)
            with self.parts.metrics.stage_duration_s.labels("read").time():
                data = read(photo)
            self.guards.breakers.photo_store.note_success()
            with self.parts.metrics.stage_duration_s.labels("recognize").time():
                return FinishedPhoto(photo, self.parts.recognizer.recognize(data))
        except PhotoChanged as error:
            return ReplacedPhoto(photo, error)
        except (PhotoNotFound, AccessDenied) as error:
            return self._judge_refusal(photo, error)
        except PermanentError as error:
            return FailedPhoto(photo, error.reason, str(error))
        except TransientError as error:
            self.guards.breakers.note_failure(error)
            if isinstance(error, RecognizerUnavailable):
                self.retire()
            return PostponedPhoto(photo, error, burns_attempt=False)
        except Exception as error:  # noqa: BLE001  one photo's surprise must not take its neighbours along
            return self._judge_unforeseen(photo, error)

    def _read(self, photo: LeasedPhoto) -> bytes:
        return self.parts.stores.read(photo.store_uri, photo.version, self.parts.settings.max_photo_bytes)

    def _refuse_other_model(self, photo: LeasedPhoto) -> None:
        if photo.model_version != self.parts.recognizer.model_version:
            raise RecognizerUnavailableHere(
                f"{photo.name} wants model {photo.model_version}, this worker has {self.parts.recognizer.model_version}"
            )

    def _judge_refusal(self, photo: LeasedPhoto, error: PermanentError) -> Outcome:
        """Believe a folder at once; S3 only when it says so again: rights and replicas may be on their way."""
        if scheme_of(photo.store_uri) == "s3" and photo.attempt < self.parts.settings.max_refusals:
            return PostponedPhoto(photo, error, burns_attempt=True)
        return FailedPhoto(photo, error.reason, str(error))

    def _judge_unforeseen(self, photo: LeasedPhoto, error: Exception) -> Outcome:
        log.error("photo failed in an unforeseen way", photo=photo.name, exc_info=error)
        if photo.attempt >= self.parts.settings.max_attempts:
            sentence = f"failed {photo.attempt} times, last with {type(error).__name__}: {error}"
            return FailedPhoto(photo, AttemptsExhausted.reason, sentence)
        return PostponedPhoto(photo, error, burns_attempt=True)

    def _settle_patiently(self, outcomes: Sequence[Outcome]) -> None:
        """Settle; a ledger that is away for a moment must not cost the work that was done."""
        give_up_at = time.monotonic() + self.parts.settings.lease_s
        while True:
            try:
                self._settle(outcomes)
            except LedgerUnavailable:
                if time.monotonic() > give_up_at or self.stopping.wait(_SETTLE_RETRY_S):
                    raise
            else:
                return

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        finished = [each for each in outcomes if isinstance(each, FinishedPhoto)]
        failed = [each for each in outcomes if isinstance(each, FailedPhoto)]
        postponed = [each for each in outcomes if isinstance(each, PostponedPhoto)]
        try:
            self._upsert(finished)
        except TransientError as error:
            self.guards.breakers.note_failure(error)
            postponed += [PostponedPhoto(each.leased, error, burns_attempt=False) for each in finished]
            finished = []
        self._finish(finished)
        self._bury(failed)
        for late in postponed:
            self._postpone(late)
        for outcome in outcomes:
            if isinstance(outcome, ReplacedPhoto):
                self._replace(outcome)

    def _upsert(self, finished: Sequence[FinishedPhoto]) -> None:
        if not finished:
            return
        unkept = self.parts.ledger.unkept.faces([each for each in finished if each.leased.has_unkept])
        points = [point for each in finished for point in points_of(each) if point.face_id not in unkept]
        if not points:
            return
        model_version, gallery = self.parts.recognizer.model_version, self.parts.gallery
        with self.parts.metrics.stage_duration_s.labels("upsert").time():
            try:
                gallery.upsert(model_version, points)
            except GalleryNotPrepared:
                # It came back empty.
                gallery.prepare(model_version, self.parts.recognizer.dimensions)
                gallery.upsert(model_version, points)
        self.guards.breakers.gallery.note_success()
        self.guards.failpoints.hit("after_upsert")

    def _finish(self, finished: Sequence[FinishedPhoto]) -> None:
        if not finished:
            return
        with self.parts.metrics.stage_duration_s.labels("finish").time():
            accepted = self.parts.ledger.leases.finish(finished)
        for each in finished:
            if each.leased.id in accepted:
                self.parts.metrics.photos.labels("indexed", "").inc()
                self.parts.metrics.faces.inc(len(each.recognized.faces))
        self._withdraw([each for each in finished if each.leased.id not in accepted])

    def _withdraw(self, refused: Sequence[FinishedPhoto]) -> None:
        """Take back the points of what was deleted meanwhile; the others are those of the worker that owns it."""
        if not refused:
            return
        living = self.parts.ledger.photos.existing([each.leased.id for each in refused])
        for photo in (each.leased for each in refused):
            log.info("finish refused", photo_id=str(photo.id), deleted=photo.id not in living)
            if photo.id not in living:
                self.parts.gallery.delete_photos(photo.album_id, [photo.id])
        unkept = self.parts.ledger.unkept.faces(refused)
        for point in (point for each in refused for point in points_of(each) if point.face_id in unkept):
            self.parts.gallery.delete_faces(point.album_id, [point.face_id])

    def _bury(self, failed: Sequence[FailedPhoto]) -> None:
        if not failed:
            return
        self.parts.ledger.leases.bury(failed)
        for each in failed:
            self.parts.metrics.photos.labels("dead", each.reason).inc()
            about = {"photo_id": str(each.leased.id), "photo": each.leased.name}
            log.info("photo dead", **about, reason=each.reason, detail=each.detail)

    def _postpone(self, postponed: PostponedPhoto) -> None:
        photo = postponed.leased
        delay_s = backoff_s(self.parts.settings.retry_backoff_s, photo.attempt)
        if isinstance(postponed.error, RecognizerUnavailableHere):
            delay_s = _LONGEST_BACKOFF_S
        self.parts.ledger.leases.release(photo, delay_s, burn_attempt=postponed.burns_attempt)
        log.warning("photo postponed", photo_id=str(photo.id), delay_s=delay_s, error=str(postponed.error))

    def _replace(self, replaced: ReplacedPhoto) -> None:
        error = replaced.error
        self.parts.ledger.leases.replace(replaced.leased, error.new_version, error.size_bytes)
        log.info("photo replaced meanwhile", photo_id=str(replaced.leased.id), photo=replaced.leased.name)


class RecognizerUnavailableHere(TransientError):
    """This worker runs another model pack than the photo was accepted for; another worker may have it."""

    reason = "other_model_pack"


def points_of(finished: FinishedPhoto) -> list[GalleryPoint]:
    """Name the points of one photo; the same photo gives the same ids however often it runs."""
    photo = finished.leased
    return [
        GalleryPoint(face_id_of(photo.id, number), photo.album_id, photo.id, face.template)
        for number, face in enumerate(finished.recognized.faces)
    ]


def backoff_s(first_s: float, attempt: int) -> float:
    """Seconds until the next attempt: doubled each time, five minutes at most."""
    return float(min(first_s * 2 ** min(max(attempt - 1, 0), 20), _LONGEST_BACKOFF_S))
