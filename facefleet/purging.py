"""Delete albums: points, stored uploads, then rows. In that order, so that a killed purge can be finished."""

from facefleet.gallery.protocol import Gallery
from facefleet.ledger.audit import BY_ITSELF, AuditEntry
from facefleet.ledger.engine import Ledger
from facefleet.photo_store import PhotoStores
from facefleet.records import DEFAULT_TENANT, Album
from facefleet.settings import Settings


def purge_album(
    ledger: Ledger, gallery: Gallery, stores: PhotoStores, settings: Settings, album: Album, *, who: str = BY_ITSELF
) -> None:
    """Remove every trace of an album; doing it twice, or at once in two processes, is the same as doing it once.

    The album is hidden first. Its rows go last: until then the dispatcher finds it and does again what a killed
    process left undone. Photos that were indexed where they lay (a folder, a bucket) are not touched.

    Args:
        ledger: knows the album.
        gallery: has its points.
        stores: have the photos that were sent to it.
        settings: where those are.
        album: the album.
        who: for the audit log.

    Raises:
        TransientError: a store is down; the album stays hidden and the dispatcher purges it later.
    """
    ledger.albums.begin_delete(album.id, who)
    gallery.delete_album(album.id)
    stores.delete_prefix(upload_prefix(settings, album))
    ledger.ingest.forget_dead_of(album.name)
    ledger.albums.erase(album.id)
    ledger.database.shred_deleted()


def purge_tenant(
    ledger: Ledger, gallery: Gallery, stores: PhotoStores, settings: Settings, tenant: str, *, who: str
) -> int:
    """Remove every trace of a tenant but its rows in the audit log. Twice is once.

    Its keys go first, so that nothing new comes meanwhile.

    Args:
        ledger: as in `purge_album`, like the next three.
        gallery: the same.
        stores: the same.
        settings: the same.
        tenant: whose albums, keys and callbacks.
        who: for the audit log.

    Returns:
        How many albums it had.

    Raises:
        TransientError: a store is down; albums that are hidden already are purged by the dispatcher, and the command is
            to be run again.
    """
    rows = ledger.tenants.forget(tenant)
    albums = ledger.albums.all_of(tenant)
    for album in albums:
        ledger.albums.begin_delete(album.id, who)
    for album in albums:
        purge_album(ledger, gallery, stores, settings, album, who=who)
    if tenant == DEFAULT_TENANT:
        ledger.ingest.forget_dead()
    rows += ledger.tenants.forget(tenant)  # who was at it wrote something meanwhile
    ledger.database.shred_deleted()
    outcome = {"albums": len(albums), "rows": rows}
    ledger.audit.append(AuditEntry(who, tenant, "tenant_purged", "", outcome))
    return len(albums)


def upload_prefix(settings: Settings, album: Album) -> str:
    """URI under which the photos sent to an album are kept, with a slash at its end."""
    return f"{settings.resolved_upload_url.rstrip('/')}/{album.id}/"
