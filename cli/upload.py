"""Photos of this machine, sent to a server that does not read this machine's folders."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from cli.client import ApiClient
from cli.following import DeadPhoto, SentPhotos
from facefleet.errors import InvalidRequest, PermanentError, PhotoChanged, PhotoTooLarge
from facefleet.photo_store.folder import FolderPhotoStore
from facefleet.records import PhotoRef

#: A server opens a temporary file for each photo of a request.
_BATCH_PHOTOS = 50
#: As many batches as there are threads are in memory at once.
_BATCH_BYTES = 32_000_000
_THREADS = 4
#: What no server takes as a photo is not read into memory either.
_MAX_PHOTO_BYTES = 1_000_000_000


def send_folder(client: ApiClient, album: str, source: str) -> SentPhotos:
    """Send every photo of a folder, several batches at once. Those that the album has already are not indexed again.

    Args:
        client: of the server that has the album.
        album: its name.
        source: `file:///...`.

    Raises:
        InvalidRequest: there is no such folder.
        TransientError: the server went away; photos that were sent are indexed all the same.
    """
    batches = _batches(FolderPhotoStore().list_photos(source))
    with ThreadPoolExecutor(_THREADS) as pool:
        sent = list(pool.map(lambda batch: _send(client, album, source, batch), batches))
    return _join(sent)


def _batches(photos: Iterator[PhotoRef]) -> Iterator[list[PhotoRef]]:
    batch: list[PhotoRef] = []
    for photo in photos:
        full = len(batch) == _BATCH_PHOTOS or sum(each.size_bytes for each in batch) + photo.size_bytes > _BATCH_BYTES
        if batch and full:
            yield batch
            batch = []
        batch.append(photo)
    if batch:
        yield batch


def _send(client: ApiClient, album: str, source: str, batch: Sequence[PhotoRef]) -> SentPhotos:
    """Send one batch; a photo that is refused is found by sending each alone, so that it does not keep the others."""
    files: list[tuple[str, bytes]] = []
    unsent: list[DeadPhoto] = []
    for photo in batch:
        try:
            files.append((photo.name, FolderPhotoStore().read(photo.uri, photo.version, _MAX_PHOTO_BYTES)))
        except (PermanentError, PhotoChanged) as error:
            unsent.append(DeadPhoto(photo.name, str(error)))
    if not files:
        return SentPhotos((), tuple(unsent))
    try:
        job_id = client.send_photos(album, files, source)
    except (PhotoTooLarge, InvalidRequest) as error:
        if len(batch) == 1:
            return SentPhotos((), (DeadPhoto(batch[0].name, str(error)),))
        return _join([_send(client, album, source, [photo]) for photo in batch])
    return SentPhotos((job_id,), tuple(unsent))


def _join(parts: Sequence[SentPhotos]) -> SentPhotos:
    return SentPhotos(
        tuple(job_id for part in parts for job_id in part.job_ids),
        tuple(each for part in parts for each in part.unsent),
    )
