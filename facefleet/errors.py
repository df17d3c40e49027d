"""The error tree. Its first two branches are the retry policy.

FacefleetError
+- PermanentError            the photo is dead, with this reason; trying again changes nothing
|  +- PhotoNotFound          the file or object is gone, or the link points to nothing
|  +- PhotoUndecodable       the bytes are not a photo that can be read
|  +- PhotoTooLarge          more bytes or pixels than the limits allow
|  +- AccessDenied           the store refuses to hand it out
|  +- CrashedWorker          workers died on it, several times
|  +- AttemptsExhausted      it failed in an unforeseen way, several times
+- PhotoChanged              the photo was replaced after it was listed: index the new one instead
+- DegenerateLandmarks       five points that fix no face; the face is dropped, the photo goes on
+- TransientError            a dependency is down or busy; tried again later, no blame on the photo
|  +- PhotoStoreUnavailable
|  +- GalleryUnavailable
|  |  +- GalleryNotPrepared  it has no place for templates of this model (yet, or it was wiped)
|  +- LedgerUnavailable
|  +- BrokerUnavailable
|  +- RecognizerUnavailable  the model answered nonsense, or is shutting down
|  +- ModelSwitched          the installation works with another model since a migration: restart with its pack
|  +- ServerUnavailable      the Facefleet server that a command talks to does not answer
|  +- Overloaded             a bounded queue is full
|     +- RateLimited         the caller's own share is used up
+- RequestError              the caller asked for something that cannot be
|  +- InvalidRequest
|  +- NotAuthenticated       no key, or none that counts
|  +- NotPermitted           the key does not allow it
|  +- AlbumNotFound
|  +- AlbumExists
|  +- JobNotFound
|  +- PersonNotFound
|  +- FaceNotFound
|  +- AlbumFileRefused       a file to be imported is damaged, hostile, or of a later format
|  +- PeopleConflict         a change of people, or its undoing, makes no sense (any more)
+- ConfigurationError        the process refuses to start, or the command to run
   +- ModelPackNotFound
   +- ModelPackMismatch      a file of the pack is not the one its manifest names
   +- PackNotGoodEnough      a quantized pack lost too much and was not kept
   +- LicenseNotAccepted
   +- RuntimeUnavailable     the device or runtime that was asked for cannot be used
   +- DataDirectoryInUse

Imports nothing of the project. Adapters translate their library's errors at one edge, with `raise ... from`.
"""

from typing import ClassVar


class FacefleetError(Exception):
    """Base of everything the project raises on purpose. `str(error)` is a sentence for a person."""

    #: Stable snake_case word for machines: the `reason` of a dead photo, the `type` of an API problem.
    reason: ClassVar[str] = "facefleet_error"


class PermanentError(FacefleetError):
    """The photo is dead; another attempt would end the same."""

    reason = "permanent_error"


class PhotoNotFound(PermanentError):
    """The file or object does not exist (any more)."""

    reason = "photo_not_found"


class PhotoUndecodable(PermanentError):
    """The bytes cannot be read as a photo."""

    reason = "photo_undecodable"


class PhotoTooLarge(PermanentError):
    """The photo has more bytes or pixels than the limits allow."""

    reason = "photo_too_large"


class AccessDenied(PermanentError):
    """The photo store refuses to hand out the photo."""

    reason = "access_denied"


class CrashedWorker(PermanentError):
    """Workers died while they held the photo, as often as the settings allow."""

    reason = "crashed_worker"


class AttemptsExhausted(PermanentError):
    """The photo failed in an unforeseen way as often as the settings allow."""

    reason = "attempts_exhausted"


class PhotoChanged(FacefleetError):
    """The photo was replaced after it was listed."""

    reason = "photo_changed"

    def __init__(self, message: str, *, new_version: str, size_bytes: int) -> None:
        """Keep what is needed to index the replacement.

        Args:
            message: a sentence for a person.
            new_version: the version that is in the store now.
            size_bytes: its size.
        """
        super().__init__(message)
        self.new_version = new_version
        self.size_bytes = size_bytes


class DegenerateLandmarks(FacefleetError):
    """The five points of a face do not fix a similarity transform; the recognizer drops the face."""

    reason = "degenerate_landmarks"


class TransientError(FacefleetError):
    """A dependency is down or busy; the work is tried again and burns no attempt."""

    reason = "transient_error"


class PhotoStoreUnavailable(TransientError):
    """The photo store cannot be reached or answers with errors."""

    reason = "photo_store_unavailable"


class GalleryUnavailable(TransientError):
    """The vector store cannot be reached or answers with errors."""

    reason = "gallery_unavailable"


class GalleryNotPrepared(GalleryUnavailable):
    """The vector store has no place for templates of this model: nobody prepared it, or it was wiped."""

    reason = "gallery_not_prepared"


class LedgerUnavailable(TransientError):
    """The ledger's database cannot be reached or is locked."""

    reason = "ledger_unavailable"


class BrokerUnavailable(TransientError):
    """The message broker cannot be reached."""

    reason = "broker_unavailable"


class RecognizerUnavailable(TransientError):
    """The model answered nonsense (NaN, constant templates) or is shutting down."""

    reason = "recognizer_unavailable"


class ModelSwitched(TransientError):
    """The installation was migrated to another model than this process has; who is restarted with it can go on."""

    reason = "model_switched"


class ServerUnavailable(TransientError):
    """The Facefleet server that a command talks to cannot be reached."""

    reason = "server_unavailable"


class Overloaded(TransientError):
    """A bounded queue is full; the caller is to come back later."""

    reason = "overloaded"

    def __init__(self, message: str, retry_after_s: float = 1.0) -> None:
        """Refuse for a while.

        Args:
            message: a sentence for a person.
            retry_after_s: when there may be room.
        """
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(Overloaded):
    """A key asks more often than it may; others are served."""

    reason = "rate_limited"


class RequestError(FacefleetError):
    """The caller asked for something that cannot be."""

    reason = "request_error"


class InvalidRequest(RequestError):
    """A value of the request is not acceptable; the message says which and why."""

    reason = "invalid_request"


class NotAuthenticated(RequestError):
    """The request shows no key, or one that is unknown, expired or revoked."""

    reason = "not_authenticated"


class NotPermitted(RequestError):
    """The key that the request shows does not allow it."""

    reason = "not_permitted"


class AlbumNotFound(RequestError):
    """There is no album of that name."""

    reason = "album_not_found"


class AlbumExists(RequestError):
    """An album of that name exists already."""

    reason = "album_exists"


class JobNotFound(RequestError):
    """There is no job of that id."""

    reason = "job_not_found"


class PersonNotFound(RequestError):
    """There is no person of that id (any more)."""

    reason = "person_not_found"


class FaceNotFound(RequestError):
    """There is no face of that id (any more)."""

    reason = "face_not_found"


class AlbumFileRefused(RequestError):
    """A file that is to be imported cannot be what it says it is."""

    reason = "album_file_refused"


class PeopleConflict(RequestError):
    """A change of people, or its undoing, makes no sense (any more); the message says why."""

    reason = "people_conflict"


class ConfigurationError(FacefleetError):
    """The settings, files or machine do not allow the process to start."""

    reason = "configuration_error"


class ModelPackNotFound(ConfigurationError):
    """The model pack is not on this machine and cannot be fetched."""

    reason = "model_pack_not_found"


class ModelPackMismatch(ConfigurationError):
    """A file of the model pack is not the one its manifest names."""

    reason = "model_pack_mismatch"


class PackNotGoodEnough(ConfigurationError):
    """A quantized model pack loses too much against the one that it was made from."""

    reason = "pack_not_good_enough"


class LicenseNotAccepted(ConfigurationError):
    """The model pack's licence has to be accepted before the first download."""

    reason = "license_not_accepted"


class RuntimeUnavailable(ConfigurationError):
    """The device or model runtime that was asked for cannot be used."""

    reason = "runtime_unavailable"


class DataDirectoryInUse(ConfigurationError):
    """Another process owns the data directory."""

    reason = "data_directory_in_use"
