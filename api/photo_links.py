"""Links to photos that work for everybody who has them, for a while."""

import hashlib
import hmac
import time
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Request
from starlette.datastructures import URL

from api.dependencies import Services
from api.error_responses import LinkRefused
from facefleet.errors import PhotoNotFound
from facefleet.records import PhotoState

PATH = "/v1/photos/{photo_id}"


def link_to_photo(request: Request, photo_id: UUID) -> str:
    """Make a link that expires after `link_expiry_s`."""
    services: Services = request.app.state.services
    expires = int(time.time() + services.settings.link_expiry_s)
    signature = _sign(request.app.state.link_key, photo_id, expires)
    query = urlencode({"expires": expires, "signature": signature})
    return str(URL(str(request.base_url)).replace(path=PATH.format(photo_id=photo_id), query=query))


def read_linked_photo(request: Request, photo_id: UUID, expires: int, signature: str) -> bytes:
    """Read the photo that a link leads to.

    Raises:
        LinkRefused: the link has expired, or was not made here.
        PhotoNotFound: the photo is gone.
    """
    services: Services = request.app.state.services
    is_ours = hmac.compare_digest(_sign(request.app.state.link_key, photo_id, expires).encode(), signature.encode())
    if not is_ours or expires < time.time():
        raise LinkRefused("this link has expired, or was not made by this server: search again for a new one")
    photo = services.ledger.photos.get_many([photo_id]).get(photo_id)
    if photo is None or photo.state == PhotoState.DELETED:
        raise PhotoNotFound("the photo is gone")
    return services.stores.read(photo.store_uri, photo.version, services.settings.max_photo_bytes)


def _sign(key: bytes, photo_id: UUID, expires: int) -> str:
    return hmac.new(key, f"photo\0{photo_id}\0{expires}".encode(), hashlib.sha256).hexdigest()
