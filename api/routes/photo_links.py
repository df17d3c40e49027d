"""Photos, and pictures of photos and faces, for whoever has a signed link."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response, status

from api.dependencies import RecognizerDep, Services, ServicesDep
from api.photo_links import CROP_PATH, PHOTO_PATH, THUMBNAIL_PATH, GrantDep
from api.problems_in_openapi import problems
from facefleet.errors import PhotoNotFound
from facefleet.pictures import PictureCache, PictureSize, make_face_crop, make_thumbnail
from facefleet.recognition.photo_header import sniff_format
from facefleet.records import Photo, PhotoState

router = APIRouter(tags=["photos"])

#: A photo is shown and nothing else: whatever is in the file, it is no page of this server.
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, max-age=3600",
}
_PROBLEMS = problems(403, 404, 409, 413, 422, 503)


@router.get(PHOTO_PATH, responses=_PROBLEMS, response_class=Response)
def show_photo(photo_id: UUID, grant: GrantDep, services: ServicesDep) -> Response:
    """Show a photo to whoever has a link that a search or list handed out with `links=true`, until it expires."""
    grant.require(photo_id)
    data = _read(services, _find_photo(services, photo_id))
    return Response(data, headers=_HEADERS, media_type=f"image/{sniff_format(data).lower()}")


@router.get(THUMBNAIL_PATH, responses=_PROBLEMS, response_class=Response)
async def show_thumbnail(
    request: Request,
    photo_id: UUID,
    grant: GrantDep,
    services: ServicesDep,
    recognizer: RecognizerDep,
    size: Annotated[PictureSize, Query(description="`grid`: 480 pixels on the longer side; `screen`: 1920.")] = (
        PictureSize.GRID
    ),
) -> Response:
    """Show a photo as a small JPEG without metadata. Every link to the photo opens it in every size."""
    grant.require(photo_id)

    def make() -> bytes:
        photo = _find_photo(services, photo_id)
        pictures: PictureCache = request.app.state.pictures
        return pictures.obtain(
            (photo_id, size), lambda: make_thumbnail(recognizer.decoder, _read(services, photo), size)
        )

    return await _show_picture(request, make)


@router.get(CROP_PATH, responses=_PROBLEMS, response_class=Response)
async def show_face_crop(
    request: Request, face_id: UUID, grant: GrantDep, services: ServicesDep, recognizer: RecognizerDep
) -> Response:
    """Show a face as a small JPEG without metadata."""
    grant.require(face_id)

    def make() -> bytes:
        face = services.ledger.faces.get_many([face_id]).get(face_id)
        if face is None:
            raise PhotoNotFound("the face is gone")
        photo = _find_photo(services, face.photo_id)
        pictures: PictureCache = request.app.state.pictures
        return pictures.obtain(face_id, lambda: make_face_crop(recognizer.decoder, _read(services, photo), face.box))

    return await _show_picture(request, make)


async def _show_picture(request: Request, make: Callable[[], bytes]) -> Response:
    """Make a picture when its turn comes. Who scrolled on meanwhile is not waiting any more."""
    async with request.app.state.picture_places:
        if await request.is_disconnected():
            return Response(status_code=status.HTTP_204_NO_CONTENT)
        picture = await to_thread.run_sync(make)
    return Response(picture, headers=_HEADERS, media_type="image/jpeg")


def _find_photo(services: Services, photo_id: UUID) -> Photo:
    photo = services.ledger.photos.get_many([photo_id]).get(photo_id)
    if photo is None or photo.state == PhotoState.DELETED:
        raise PhotoNotFound("the photo is gone")
    return photo


def _read(services: Services, photo: Photo) -> bytes:
    return services.stores.read(photo.store_uri, photo.version, services.settings.max_photo_bytes)
