"""Photos that were sent: into the upload store, then into the ledger."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from uuid import UUID, uuid5

import structlog

from api.bodies import SentPhoto
from api.dependencies import Services
from facefleet.errors import AlbumNotFound, FacefleetError, JobNotFound
from facefleet.photo_store.contents import content_version
from facefleet.purging import upload_prefix
from facefleet.records import Album, Job, JobState, PhotoRef

log = structlog.stdlib.get_logger(__name__)

#: `source` of the jobs that index photos sent over HTTP.
UPLOADS_SOURCE = "uploads:"
_LONGEST_FILE_NAME = 100


def find_upload(services: Services, album: Album, job_id: UUID) -> Job:
    """Find the job of an earlier request that sent photos to an album.

    Raises:
        JobNotFound: there is none.
    """
    job = services.ledger.jobs.get(job_id)
    if job.album_id != album.id or job.source != UPLOADS_SOURCE:
        raise JobNotFound("there is no such upload to this album (any more)")
    return job


def keep_photos(
    services: Services, album: Album, photos: Sequence[SentPhoto], begun: Job | None = None
) -> tuple[Job, list[PhotoRef]]:
    """Write photos to the upload store and hand them to the fleet; all of them, or none.

    A photo that is in the album already stays what it is, and so costs nothing: its version is a hash of its bytes, and
    its place is fixed by its source and name or, without a source, by its name and bytes.

    Args:
        services: upload store and ledger.
        album: the album that they are for.
        photos: complete, positioned at their start, each with a name.
        begun: the job of a larger upload that they are a part of: its later parts are in no hurry.

    Raises:
        AlbumNotFound: the album was deleted meanwhile; nothing is left behind.
        TransientError: store or ledger is down. Files that were written wait to be sent again, to the same place, or go
            with the album; they are not removed, because they may be those of photos that the album has.
    """
    folder = upload_prefix(services.settings, album)
    try:
        refs = [_keep_photo(services, album, photo) for photo in photos]
        job = begun or services.ledger.jobs.create(album.id, UPLOADS_SOURCE, JobState.RUNNING)
        is_urgent = begun is None and len(refs) <= services.settings.interactive_photos
        services.ledger.jobs.add_photos(job.id, services.model_version, refs, urgent=is_urgent)
    except AlbumNotFound:
        _take_back(services, folder)
        raise
    return job, refs


def safe_file_name(sent_name: str) -> str:
    """Keep of a sent file name what no file system, shell or URL trips over."""
    last = PurePosixPath(sent_name.replace("\\", "/")).name
    return re.sub(r"[^A-Za-z0-9._-]+", "_", last).lstrip(".")[-_LONGEST_FILE_NAME:] or "photo"


def _keep_photo(services: Services, album: Album, photo: SentPhoto) -> PhotoRef:
    data = photo.file.file.read()
    version = content_version(data)
    folder = upload_prefix(services.settings, album)
    uri = f"{folder}{_identify(album, photo, version)}/{safe_file_name(photo.name)}"
    return replace(services.stores.write(uri, data), name=photo.name, version=version)


def _identify(album: Album, photo: SentPhoto, version: str) -> UUID:
    """Name a photo's place. Without a source the bytes are a part of it: cameras give the same names again."""
    origin = ("content", version) if photo.source is None else ("source", photo.source)
    return uuid5(album.id, "\0".join((*origin, photo.name)))


def _take_back(services: Services, folder: str) -> None:
    """Remove what was written for an album that is gone. When that fails too, the purge of the album does it."""
    try:
        services.stores.delete_prefix(folder)
    except FacefleetError as error:
        log.warning("upload left behind", folder=folder, error=str(error))
