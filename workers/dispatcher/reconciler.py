"""The reconciler: buckets against the ledger, and the ledger against the gallery. It finds what events missed."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from threading import Event
from uuid import UUID

import structlog

from facefleet.errors import InvalidRequest
from facefleet.gallery.protocol import Gallery
from facefleet.ledger.engine import Ledger
from facefleet.mending import mend_gallery
from facefleet.photo_store import PhotoStores, source_uri
from facefleet.photo_store.uris import s3_uri, split_s3_uri
from facefleet.records import DEFAULT_TENANT, Album, PhotoRef
from facefleet.s3_events import EventRules
from facefleet.settings import Settings
from workers.dispatcher.lister import pages

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class Reconciler:
    """Owns no state; whatever it does twice, or beside another one, is the same as once."""

    ledger: Ledger
    gallery: Gallery
    stores: PhotoStores
    settings: Settings
    #: Photos are accepted for this model version.
    model_version: str
    #: Set when the process is to end.
    stopping: Event

    def step(self) -> bool:
        """Compare everything once."""
        rules = EventRules.of(self.settings)
        for source in self.settings.reconcile_sources.split(","):
            if source.strip():
                self._reconcile_source(source_uri(source.strip()), rules)
        for album in self.ledger.repairs.albums():
            if self.stopping.is_set():
                break
            self._reconcile_gallery(album.id)
        return False

    def _reconcile_source(self, source: str, rules: EventRules) -> None:
        """Enter what is new, and delete what the listing does not show.

        A listing that shows nothing deletes nothing: a mistaken prefix is likelier than a bucket that was emptied.
        """
        began, listed = self.ledger.repairs.now(), set[UUID]()
        for album_name, refs in _by_album(self.stores.list_photos(source), rules):
            try:
                album, present = self._enter(album_name, refs)
            except InvalidRequest as error:
                log.warning("objects left out", source=source, error=str(error))
                continue
            if self.stopping.is_set():
                return
            listed.add(album.id)
            self._delete_vanished(album, _below(source, rules, album), present, began)
        for album in self.ledger.repairs.albums() if listed else ():
            if album.id not in listed and album.tenant == DEFAULT_TENANT:
                self._delete_vanished(album, _below(source, rules, album), set(), began)

    def _enter(self, album_name: str, refs: Iterable[PhotoRef]) -> tuple[Album, set[str]]:
        """Enter the photos of one album; the URIs of one album at a time are held in memory."""
        present: set[str] = set()
        album = self.ledger.albums.ensure(album_name)
        for page in pages(refs):
            new = self.ledger.ingest.enter(album.id, self.model_version, page)
            present.update(ref.uri for ref in page)
            if new:
                log.info("photos found that no event told of", album=album_name, photos=new)
            if self.stopping.is_set():
                break
        return album, present

    def _delete_vanished(self, album: Album, below: str | None, present: set[str], began: datetime) -> None:
        gone = self.ledger.repairs.delete_vanished(album.id, below, present, began) if below else 0
        if gone:
            log.info("photos vanished that no event told of", album=album.name, photos=gone)

    def _reconcile_gallery(self, album_id: UUID) -> None:
        mended = mend_gallery(self.ledger, self.gallery, self.model_version, album_id)
        if mended.indexed_again or mended.photos_deleted:
            log.warning("gallery mended", album_id=str(album_id), **asdict(mended))


def _below(source: str, rules: EventRules, album: Album) -> str | None:
    """Name what a source and the album's own folder have in common; an album may hold photos of other folders too."""
    folder = s3_uri(split_s3_uri(source)[0], f"{rules.key_prefix}{album.name}/")
    longer, shorter = max(source, folder, key=len), min(source, folder, key=len)
    return longer if longer.startswith(shorter) else None


def _by_album(refs: Iterable[PhotoRef], rules: EventRules) -> Iterator[tuple[str, Iterator[PhotoRef]]]:
    """Group a listing, which S3 sorts by key, into albums; photos of none are left out."""
    for album_name, mine in groupby(refs, key=lambda ref: rules.album_of(split_s3_uri(ref.uri)[1])):
        if album_name is not None:
            yield album_name, mine
