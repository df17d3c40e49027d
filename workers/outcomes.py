"""What may become of one photo of a message."""

from dataclasses import dataclass

from facefleet.errors import PhotoChanged
from facefleet.records import FailedPhoto, FinishedPhoto, LeasedPhoto


@dataclass(frozen=True, slots=True)
class PostponedPhoto:
    """A photo that goes back to the ledger for a later attempt."""

    leased: LeasedPhoto
    error: Exception
    #: Whether the attempt counts against the photo: not when a dependency was down.
    burns_attempt: bool


@dataclass(frozen=True, slots=True)
class ReplacedPhoto:
    """A photo that turned out to be a newer one."""

    leased: LeasedPhoto
    error: PhotoChanged


Outcome = FinishedPhoto | FailedPhoto | PostponedPhoto | ReplacedPhoto
