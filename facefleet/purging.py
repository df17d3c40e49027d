"""Delete an album: its points, its stored uploads, its rows. In that order, so that a killed purge can be finished."""

from facefleet.gallery.protocol import Gallery
from facefleet.ledger.engine import Ledger
from facefleet.photo_store import PhotoStores
from facefleet.records import Album
from facefleet.settings import Settings


def purge_album(ledger: Ledger, gallery: Gallery, stores: PhotoStores, settings: Settings, album: Album) -> None:
    """Remove every trace of an album; doing it twice, or at once in two processes, is the same as doing it once.

    The album is hidden first. Its rows go last: until then the dispatcher finds it and does again what a killed
    process left undone. Photos that were indexed where they lay (a folder, a bucket) are not touched.

    Raises:
        TransientError: a store is down; the album stays hidden and the dispatcher purges it later.
    """
    ledger.albums.begin_delete(album.id)
    gallery.delete_album(album.id)
    stores.delete_prefix(upload_prefix(settings, album))
    ledger.albums.erase(album.id)


def upload_prefix(settings: Settings, album: Album) -> str:
    """URI under which the photos sent to an album are kept, with a slash at its end."""
    return f"{settings.resolved_upload_url.rstrip('/')}/{album.id}/"
