"""Photos of an album: send them, list them, try the dead ones again."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, status
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from api.bodies import PhotosDep, bodies_in_openapi, require_json
from api.dependencies import (
    AlbumDep,
    ReachDep,
    RecognizerDep,
    ServicesDep,
    admit_upload,
    require_model_version,
)
from api.photo_links import Links
from api.problems_in_openapi import problems
from api.receiving import find_upload, keep_photos
from api.schemas.faces import FaceView
from api.schemas.photos import (
    KnownPhotos,
    PhotoList,
    PhotosReceived,
    PhotosToSend,
    PhotoView,
    PhotoWithFaces,
    Rebuilt,
    ReceivedPhoto,
    Retried,
    WantedPhotos,
)
from api.zipping import zip_photos
from facefleet.errors import InvalidRequest, PhotoNotFound
from facefleet.mending import mend_gallery
from facefleet.records import PhotoState

router = APIRouter(prefix="/v1/albums/{album}", tags=["photos"])


@router.post(
    "/photos",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=[Depends(admit_upload), Depends(require_model_version)],
    openapi_extra=bodies_in_openapi("files", many=True),
    responses=problems(404, 413, 415, 422, 503),
)
def send_photos(
    album: AlbumDep,
    photos: PhotosDep,
    services: ServicesDep,
    job: Annotated[UUID | None, Query(description="`job_id` of an earlier answer, to be continued.")] = None,
) -> PhotosReceived:
    """Send photos: one as a raw body with `?name=`, or many as files of a form. They are kept and indexed.

    Photos that the album has are not indexed again: those of the same name and bytes or, when `source` says where the
    names come from, of the same source, name and bytes. Other bytes from the same source and name replace the photo.
    """
    begun = None if job is None else find_upload(services, album, job)
    kept_by, refs = keep_photos(services, album, photos, begun)
    received = [ReceivedPhoto(photo=ref.name, size_bytes=ref.size_bytes) for ref in refs]
    return PhotosReceived(job_id=kept_by.id, photos=received)


@router.post("/photos/known", dependencies=[Depends(require_json)], responses=problems(404, 415, 422))
def find_known_photos(album: AlbumDep, wanted: PhotosToSend, services: ServicesDep) -> KnownPhotos:
    """Tell which photos the album has, by name and size: the others are left to send when an upload is taken up again.

    Dead ones count as known: `retry` is for them.
    """
    sizes = services.ledger.photos.sizes_of(album.id, {each.photo for each in wanted.photos})
    return KnownPhotos(known=[(each.photo, each.size_bytes) in sizes for each in wanted.photos])


class PhotoQuery(BaseModel):
    """Which photos are listed, and how."""

    state: PhotoState | None = Field(default=None, description="Only photos in this state.")
    limit: int = Field(default=100, ge=1, le=1000, description="At most this many.")
    after: UUID | None = Field(default=None, description="`next` of the page before.")
    offset: int = Field(default=0, ge=0, le=2**31, description="Skips so many: to jump, where `after` walks.")
    links: bool = Field(default=False, description="Whether every photo carries signed links to it and its picture.")


@router.get("/photos", responses=problems(404, 422))
def list_photos(
    request: Request, album: AlbumDep, services: ServicesDep, wanted: Annotated[PhotoQuery, Query()]
) -> PhotoList:
    """List photos and what became of them, by name; the dead ones say why."""
    after = str(wanted.after) if wanted.after else None
    photos = services.ledger.photos.list(album.id, wanted.state, wanted.limit + 1, after, offset=wanted.offset)
    page = [PhotoView.of(photo) for photo in photos[: wanted.limit]]
    if wanted.links:
        _add_links(request, page)
    return PhotoList(photos=page, next=page[-1].photo_id if len(photos) > wanted.limit else None)


@router.get("/photos/{photo}", responses=problems(404, 422))
def show_photo_with_faces(request: Request, album: AlbumDep, photo: UUID, services: ServicesDep) -> PhotoWithFaces:
    """Show one photo with its faces, and with links to their pictures."""
    found = services.ledger.photos.get_many([photo]).get(photo)
    if found is None or found.album_id != album.id or found.state is PhotoState.DELETED:
        raise PhotoNotFound("there is no such photo in this album (any more)")
    links, view = Links.of(request), PhotoView.of(found)
    _add_links(request, [view])
    faces = [FaceView.of(face) for face in services.ledger.faces.of_photo(photo)]
    for face in faces:
        face.crop = links.to_crop(face.face_id)
    return PhotoWithFaces(photo=view, faces=faces)


@router.post(
    "/photos/zip",
    dependencies=[Depends(require_json)],
    responses=problems(404, 415, 422, 503),
    response_class=StreamingResponse,
)
def download_photos(album: AlbumDep, wanted: WantedPhotos, services: ServicesDep, reach: ReachDep) -> StreamingResponse:
    """Download photos as they are stored, in one zip file; what cannot be read any more is named in a file of it."""
    most = services.settings.max_download_photos
    if len(wanted.photo_ids) > most:
        raise InvalidRequest(f"{len(wanted.photo_ids)} photos at once are too many: at most {most:,} go into one zip")
    found = services.ledger.photos.get_many(wanted.photo_ids)
    photos = [photo for photo in found.values() if photo.album_id == album.id and photo.state != PhotoState.DELETED]
    if len(photos) < len(set(wanted.photo_ids)):
        raise PhotoNotFound("some of these photos are not in this album (any more)")
    reach.note("photos_exported", album.id, photos=len(photos))
    headers = {"Content-Disposition": "attachment; filename=photos.zip", "X-Content-Type-Options": "nosniff"}
    zipped = zip_photos(services.stores, photos, services.settings.max_photo_bytes)
    return StreamingResponse(zipped, headers=headers, media_type="application/zip")


def _add_links(request: Request, photos: Sequence[PhotoView]) -> None:
    links = Links.of(request)
    for photo in photos:
        photo.link, photo.thumbnail = links.to_photo(photo.photo_id), links.to_thumbnail(photo.photo_id)


@router.post("/retry", responses=problems(404))
def retry_dead_photos(album: AlbumDep, services: ServicesDep) -> Retried:
    """Try every dead photo of the album again."""
    return Retried(retried=services.ledger.photos.retry_dead(album.id))


@router.post("/rebuild", responses=problems(404, 503))
def rebuild_gallery(album: AlbumDep, services: ServicesDep, recognizer: RecognizerDep) -> Rebuilt:
    """Compare the album's faces in the gallery with the ledger, and index again the photos whose faces are missing."""
    services.gallery.prepare(recognizer.model_version, recognizer.dimensions)
    mended = mend_gallery(services.ledger, services.gallery, recognizer.model_version, album.id)
    return Rebuilt(indexed_again=mended.indexed_again, photos_removed=mended.photos_deleted)
