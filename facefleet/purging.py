"""Delete albums, tenants, people for good. A purge that is killed is finished by the dispatcher."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from facefleet.gallery.protocol import Gallery
from facefleet.ledger.audit import BY_ITSELF, AuditEntry
from facefleet.ledger.engine import Ledger
from facefleet.ledger.erasures import DoomedFace, Erased
from facefleet.photo_store import PhotoStores
from facefleet.records import DEFAULT_TENANT, Album
from facefleet.settings import Settings

_PAGE = 500


def purge_album(
    ledger: Ledger, gallery: Gallery, stores: PhotoStores, settings: Settings, album: Album, *, who: str = BY_ITSELF
) -> None:
    """Remove every trace of an album; doing it twice, or at once in two processes, is the same as doing it once.

    The album is hidden first, then points and uploads go. Its rows go last: until then the dispatcher finds it and does
    again what a killed process left undone. Photos that were indexed where they lay (folder, bucket) are not touched.

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


def purge_person(
    ledger: Ledger, gallery: Gallery, stores: PhotoStores, tenant: str, person_id: UUID, *, who: str
) -> Erased:
    """Remove every trace of a person but their photos and rows of the audit log; who was purged cannot come back.

    Rows go first, and with them everybody's way to the points, which the dispatcher removes if this call does not.

    Args:
        ledger: knows the person.
        gallery: has the points of their faces.
        stores: have images of collections, which go with their last face.
        tenant: whose person.
        person_id: the person.
        who: for the audit log.

    Raises:
        PersonNotFound: there is no such person (any more).
        TransientError: a store is down; what is left is removed later.
    """
    erased = ledger.erasures.forget(tenant, person_id, who)
    while purge_doomed(ledger, gallery, stores):
        pass
    ledger.database.shred_deleted()
    return erased


def purge_doomed(ledger: Ledger, gallery: Gallery, stores: PhotoStores) -> bool:
    """Remove one page of points whose rows are gone; returns whether there may be more.

    Raises:
        TransientError: a store is down.
    """
    doomed = ledger.erasures.doomed(_PAGE)
    living = ledger.erasures.living([each.face_id for each in doomed])
    _delete_points(gallery, [each for each in doomed if each.face_id not in living])
    for each in doomed:
        if each.image_uri is not None:
            stores.delete(each.image_uri)
    ledger.erasures.mark_gone(doomed)
    return len(doomed) == _PAGE


def _delete_points(gallery: Gallery, doomed: Sequence[DoomedFace]) -> None:
    by_album: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for each in doomed:
        by_album[each.album_id].append(each.face_id)
    for album_id, face_ids in by_album.items():
        gallery.delete_faces(album_id, face_ids)


def upload_prefix(settings: Settings, album: Album) -> str:
    """URI under which the photos sent to an album are kept, with a slash at its end."""
    return f"{settings.resolved_upload_url.rstrip('/')}/{album.id}/"
