"""What a caller can reach: the one place where the tenant and the albums of a credential are applied.

No route asks the ledger for an album or a job by itself (a test reads the code for it): what lies in an album is asked
for by the id of an album that was found here.
"""

from dataclasses import dataclass
from uuid import UUID

from facefleet.errors import AlbumNotFound, JobNotFound, NotPermitted, PhotoNotFound
from facefleet.identity.caller import Caller
from facefleet.ledger.audit import AuditEntry
from facefleet.ledger.engine import Ledger
from facefleet.records import Album, AlbumSummary, JobProgress, Photo


@dataclass(frozen=True, slots=True)
class Reach:
    """The albums that a caller sees, and their jobs. What lies beyond is as if it did not exist."""

    ledger: Ledger
    caller: Caller

    def album(self, name: str) -> Album:
        """Find an album by name.

        Raises:
            AlbumNotFound: there is none within reach, or it is being deleted.
        """
        if not self.caller.sees(name):
            raise AlbumNotFound(f"there is no album named {name!r}")
        return self.ledger.albums.get(name, self.caller.tenant)

    def album_of_id(self, album_id: UUID) -> Album:
        """Find the album that something belongs to which was asked for by an id of its own.

        Raises:
            AlbumNotFound: it is not within reach, or is being deleted.
        """
        album = self.ledger.albums.get_by_id(album_id, self.caller.tenant)
        if not self.caller.sees(album.name):
            raise AlbumNotFound("there is no such album (any more)")
        return album

    def photo(self, photo_id: UUID) -> Photo:
        """Find a photo of any album within reach. Those of others are as if they did not exist.

        Raises:
            PhotoNotFound: there is none.
        """
        found = self.ledger.photos.get_many([photo_id]).get(photo_id)
        try:
            if found is not None:
                self.album_of_id(found.album_id)
                return found
        except AlbumNotFound:
            pass
        raise PhotoNotFound("there is no such photo (any more)")

    def create_album(self, name: str) -> Album:
        """Make an empty album.

        Raises:
            AlbumExists: the tenant has one of that name.
            NotPermitted: the caller is limited to other albums.
            InvalidRequest: the name is not acceptable.
        """
        return self.ledger.albums.create(self._own(name), self.caller.tenant)

    def ensure_album(self, name: str) -> Album:
        """Find an album by name, or make it.

        Raises:
            NotPermitted: the caller is limited to other albums.
        """
        return self.ledger.albums.ensure(self._own(name), self.caller.tenant)

    def summaries(self) -> list[AlbumSummary]:
        """Count the photos and faces of every album within reach, by name."""
        found = self.ledger.albums.list_summaries(self.caller.tenant)
        return [each for each in found if self.caller.sees(each.album.name)]

    def page(self, limit: int, after: str | None) -> list[Album]:
        """List one page of the albums within reach, by name.

        Args:
            limit: at most this many; fewer are the last ones.
            after: the page begins behind this name.
        """
        return self.ledger.albums.page(limit, after, self.caller.tenant, self.caller.albums)

    def job(self, job_id: UUID) -> JobProgress:
        """Find a job of an album within reach.

        Raises:
            JobNotFound: there is none.
        """
        progress = self.ledger.jobs.progress(job_id, self.caller.tenant)
        if not self.caller.sees(progress.job.album_name):
            raise JobNotFound("there is no such job (any more)")
        return progress

    def note(self, action: str, object_id: UUID | str, **outcome: int | str) -> None:
        """Write into the audit log what the caller did; it is there when this returns.

        Raises:
            LedgerUnavailable: it cannot be written now: what it tells of must not be answered.
        """
        entry = AuditEntry(self.caller.who, self.caller.tenant, action, str(object_id), outcome)
        self.ledger.audit.append(entry)

    def _own(self, name: str) -> str:
        if not self.caller.sees(name):
            raise NotPermitted(f"the key {self.caller.key_id} is limited to other albums than {name!r}")
        return name
