"""Links to photos, and to pictures of photos and faces, that work for everybody who has them, for a while."""

import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import Annotated, Self, TypeAlias
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Query, Request
from starlette.datastructures import URL

from api.dependencies import Services
from api.error_responses import LinkRefused

PHOTO_PATH = "/v1/photos/{photo_id}"
THUMBNAIL_PATH = "/v1/photos/{photo_id}/thumbnail"
CROP_PATH = "/v1/faces/{face_id}/crop"
#: Links made within the same eighth of their life are the same link, so that browsers know the picture again.
_STEPS_OF_LIFE = 8


@dataclass(frozen=True, slots=True)
class Links:
    """Makes the links of one answer."""

    base: URL
    key: bytes
    #: Seconds since 1970.
    expires: int

    @classmethod
    def of(cls, request: Request) -> Self:
        """Make links that expire after `link_expiry_s`, or up to an eighth later."""
        services: Services = request.app.state.services
        expiry_s = services.settings.link_expiry_s
        step_s = max(int(expiry_s / _STEPS_OF_LIFE), 1)
        expires = (int(time.time() + expiry_s) // step_s + 1) * step_s
        return cls(URL(str(request.base_url)), request.app.state.link_key, expires)

    def to_photo(self, photo_id: UUID) -> str:
        """Link to the photo as it is stored."""
        return self._link(PHOTO_PATH.format(photo_id=photo_id), photo_id)

    def to_thumbnail(self, photo_id: UUID) -> str:
        """Link to a small picture of the photo."""
        return self._link(THUMBNAIL_PATH.format(photo_id=photo_id), photo_id)

    def to_crop(self, face_id: UUID) -> str:
        """Link to a picture of the face."""
        return self._link(CROP_PATH.format(face_id=face_id), face_id)

    def _link(self, path: str, what: UUID) -> str:
        query = urlencode({"expires": self.expires, "signature": _sign(self.key, what, self.expires)})
        return str(self.base.replace(path=path, query=query))


def link_to_photo(request: Request, photo_id: UUID) -> str:
    """Make one link to a photo."""
    return Links.of(request).to_photo(photo_id)


@dataclass(frozen=True, slots=True)
class Grant:
    """What the query of a link claims."""

    key: bytes
    expires: int
    signature: str

    def require(self, what: UUID) -> None:
        """Return when the link was made here for this photo or face and has not expired.

        Raises:
            LinkRefused: it was not, or it has.
        """
        is_ours = hmac.compare_digest(_sign(self.key, what, self.expires).encode(), self.signature.encode())
        if not is_ours or self.expires < time.time():
            raise LinkRefused("this link has expired, or was not made by this server: search again for a new one")


async def read_grant(
    request: Request,
    expires: Annotated[int, Query(ge=0, le=2**53, description="Seconds since 1970.")],
    signature: Annotated[str, Query(max_length=128, pattern="^[0-9a-f]*$")],
) -> Grant:
    """Read the query of a link."""
    return Grant(request.app.state.link_key, expires, signature)


GrantDep: TypeAlias = Annotated[Grant, Depends(read_grant)]


def _sign(key: bytes, what: UUID, expires: int) -> str:
    """Sign the id of a photo or face; ids of the two never coincide."""
    return hmac.new(key, f"photo\0{what}\0{expires}".encode(), hashlib.sha256).hexdigest()
