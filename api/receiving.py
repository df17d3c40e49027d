"""Photos that were sent: into the upload store, then into the ledger."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from uuid import uuid4

import structlog
from starlette.datastructures import UploadFile

from api.dependencies import Services
from facefleet.errors import FacefleetError
from facefleet.purging import upload_prefix
from facefleet.records import Album, Job, JobState, PhotoRef

log = structlog.stdlib.get_logger(__name__)

#: `source` of the jobs that index photos sent over HTTP.
UPLOADS_SOURCE = "uploads:"
_LONGEST_FILE_NAME = 100


def keep_photos(services: Services, album: Album, files: Sequence[UploadFile]) -> tuple[Job, list[PhotoRef]]:
    """Write photos to the upload store and hand them to the fleet; all of them, or none.

    Args:
        services: upload store and ledger.
        album: the album that they are for.
        files: complete, positioned at their start, each with a name.

    Raises:
        AlbumNotFound: the album was deleted meanwhile.
        TransientError: store or ledger is down; nothing is left behind.
    """
    folder = f"{upload_prefix(services.settings, album)}{uuid4()}/"
    try:
        refs = [_keep_photo(services, f"{folder}{number}/", file) for number, file in enumerate(files)]
        job = services.ledger.jobs.create(album.id, UPLOADS_SOURCE, JobState.RUNNING)
        is_urgent = len(refs) <= services.settings.interactive_photos
        services.ledger.jobs.add_photos(job.id, services.model_version, refs, urgent=is_urgent)
    except BaseException:
        _take_back(services, folder)
        raise
    return job, refs


def shown_name(sent_name: str) -> str:
    """Make a sent file name printable; folders in it stay, as browsers send them for a dropped folder."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in sent_name)


def safe_file_name(sent_name: str) -> str:
    """Keep of a sent file name what no file system, shell or URL trips over."""
    last = PurePosixPath(sent_name.replace("\\", "/")).name
    return re.sub(r"[^A-Za-z0-9._-]+", "_", last).lstrip(".")[-_LONGEST_FILE_NAME:] or "photo"


def _keep_photo(services: Services, folder: str, file: UploadFile) -> PhotoRef:
    name = shown_name(file.filename or "")
    uri = folder + safe_file_name(name)
    return replace(services.stores.write(uri, file.file.read()), name=name)


def _take_back(services: Services, folder: str) -> None:
    """Remove what was written. When that fails too, it goes with the album: the folder lies below the album's."""
    try:
        services.stores.delete_prefix(folder)
    except FacefleetError as error:
        log.warning("upload left behind", folder=folder, error=str(error))
