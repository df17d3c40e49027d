"""The purger: points of photos that were replaced or deleted leave the gallery, and half-done deletions end."""

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

import structlog

from facefleet.gallery.protocol import Gallery
from facefleet.ledger.engine import Ledger
from facefleet.photo_store import PhotoStores
from facefleet.purging import purge_album, purge_doomed
from facefleet.settings import Settings

_PAGE = 500

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class Purger:
    """Deletes by id, so that doing it twice is the same as once."""

    ledger: Ledger
    gallery: Gallery
    stores: PhotoStores
    settings: Settings

    def step(self) -> bool:
        """Purge one page of photos, one of faces, and every album whose deletion was begun."""
        for album in self.ledger.albums.deleting():
            purge_album(self.ledger, self.gallery, self.stores, self.settings, album)
            log.info("album purged", album=album.name)
        more_doomed = purge_doomed(self.ledger, self.gallery, self.stores)
        superseded = self.ledger.leases.superseded(_PAGE)
        by_album: defaultdict[UUID, list[UUID]] = defaultdict(list)
        for album_id, photo_id, _uri in superseded:
            by_album[album_id].append(photo_id)
        for album_id, photo_ids in by_album.items():
            self.gallery.delete_photos(album_id, photo_ids)
            self.ledger.leases.mark_purged(photo_ids)
        return more_doomed or len(superseded) == _PAGE
