"""From what a request shows to whoever sent it: a key, or a browser's session that was begun with one."""

import hmac
import time
from contextlib import suppress
from dataclasses import dataclass

from starlette.requests import Request

from facefleet.errors import FacefleetError, NotAuthenticated, RateLimited
from facefleet.identity.api_key import id_of_key, is_key
from facefleet.identity.caller import OPERATOR, Caller
from facefleet.identity.derivation import derive_signing_key
from facefleet.identity.rate_limits import RateLimits
from facefleet.identity.sessions import read_session, write_session
from facefleet.ledger.engine import Ledger
from facefleet.ledger.keys import KnownKey

SESSION_COOKIE = "facefleet_session"
KEY_HEADER = "X-Api-Key"
_BEARER = "bearer "
_SIGN = "show an API key (Authorization: Bearer, or X-Api-Key); `facefleet keys create` makes one"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Admission:
    """How a server tells who calls."""

    ledger: Ledger
    limits: RateLimits
    #: Whether a request has to show a key; else everybody may do everything.
    keys_are_on: bool
    #: The key of who started the server.
    own_key: str
    #: What AWS secrets and sessions are derived from.
    master_secret: str

    def admit(self, request: Request) -> tuple[Caller, bool]:
        """Say who sent a request, and whether this use of the key is to be noted.

        Raises:
            NotAuthenticated: it shows no key, or one that does not count.
            RateLimited: the key is used too often.
        """
        text = read_key(request)
        if text and hmac.compare_digest(text.encode(), self.own_key.encode()):
            return OPERATOR, False
        known = self._find_by_text(text) if text else self._find_by_session(request)
        self.limit(known.key.id)
        return known.key.caller, known.use_is_news

    def find_counting(self, key_id: str | None) -> KnownKey:
        """Look up a key that is neither revoked nor expired.

        Raises:
            NotAuthenticated: there is none of this id. It does not say why.
        """
        known = self.ledger.keys.find(key_id) if key_id else None
        if known is None or not known.counts:
            raise NotAuthenticated(f"this key is unknown, revoked or has expired: {_SIGN}")
        return known

    def limit(self, key_id: str) -> None:
        """Count a request of a key.

        Raises:
            RateLimited: there were too many.
        """
        wait_s = self.limits.take(key_id)
        if wait_s > 0:
            raise RateLimited(f"the key {key_id} asks more often than this server allows; come back later", wait_s)

    def note_use(self, key_id: str) -> None:
        """Remember that a key was used; no request fails because that cannot be written."""
        with suppress(FacefleetError):
            self.ledger.keys.note_use(key_id)

    def begin_session(self, key_id: str, lasts_s: float) -> str:
        """Write the cookie of a browser that signed in."""
        return write_session(self._session_key, key_id, int(time.time() + lasts_s))

    @property
    def _session_key(self) -> bytes:
        return derive_signing_key(self.master_secret, "session")

    def _find_by_text(self, text: str) -> KnownKey:
        known = self.find_counting(id_of_key(text))
        if not is_key(text, known.secret_hash):
            raise NotAuthenticated(f"this key is unknown, revoked or has expired: {_SIGN}")
        return known

    def _find_by_session(self, request: Request) -> KnownKey:
        cookie = request.cookies.get(SESSION_COOKIE)
        if cookie is None:
            raise NotAuthenticated(f"this server wants to know who calls: {_SIGN}")
        # Browsers send the cookie by themselves, and `Origin` with every write: `TrustedHosts` refuses foreign ones.
        if request.method not in _READS and "origin" not in request.headers:
            raise NotAuthenticated("a session is for browsers, which say their Origin; programs show the key itself")
        key_id = read_session(self._session_key, cookie, time.time())
        if key_id is None:
            raise NotAuthenticated("the session has ended: sign in again")
        return self.find_counting(key_id)


def read_key(request: Request) -> str:
    """The key of a request's headers, or nothing."""
    authorization = request.headers.get("authorization", "")
    if authorization[: len(_BEARER)].lower() == _BEARER:
        return authorization[len(_BEARER) :].strip()
    return request.headers.get(KEY_HEADER, "").strip()
