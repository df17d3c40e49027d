"""On whose behalf a request acts, and what it may do."""

from dataclasses import dataclass, replace
from enum import StrEnum

from facefleet.errors import NotPermitted
from facefleet.records import DEFAULT_TENANT


class Scope(StrEnum):
    """What a key may do."""

    #: Search, look at images, list and show.
    READ = "read"
    #: Add and change: albums, photos, users, tags.
    INDEX = "index"
    #: Everything: delete, rebuild, and see what went wrong.
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request."""

    tenant: str
    scopes: frozenset[Scope]
    #: Names of the only albums it sees; None: all of its tenant.
    albums: frozenset[str] | None = None
    #: Id of its key; empty where keys are off.
    key_id: str = ""

    @property
    def who(self) -> str:
        """How the audit log calls it."""
        return self.key_id or "local"

    def may(self, *any_of: Scope) -> bool:
        """Whether one of these scopes is granted; `admin` is all of them."""
        return Scope.ADMIN in self.scopes or not self.scopes.isdisjoint(any_of)

    def require(self, *any_of: Scope) -> None:
        """Refuse a caller that has none of these scopes.

        Raises:
            NotPermitted: it names what would do.
        """
        if not self.may(*any_of):
            needed = " or ".join(any_of)
            raise NotPermitted(f"the key {self.key_id} may not do this: it takes a key with the scope {needed}")

    def sees(self, album_name: str) -> bool:
        """Whether an album of this name, of its own tenant, is one of its albums."""
        return self.albums is None or album_name in self.albums

    def require_whole_tenant(self) -> None:
        """Refuse a key that is limited to albums what tells of others.

        Raises:
            NotPermitted: it is.
        """
        if self.albums is not None:
            raise NotPermitted(f"the key {self.key_id} is limited to albums, and this tells of others too")


#: Where keys are off: everything of the one tenant.
EVERYBODY = Caller(DEFAULT_TENANT, frozenset({Scope.ADMIN}))
#: Whoever started the server, and may read its data directory.
OPERATOR = replace(EVERYBODY, key_id="operator")
#: Where a route asks for no key: it sees no album.
NOBODY = Caller("", frozenset(), frozenset())
