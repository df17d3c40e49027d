"""Photos of an album: send them, list them, try the dead ones again."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, status

from api.bodies import PhotosDep, bodies_in_openapi
from api.dependencies import (
    AlbumDep,
    PageAfter,
    PageLimit,
    RecognizerDep,
    ServicesDep,
    admit_upload,
    require_model_version,
)
from api.problems_in_openapi import problems
from api.receiving import keep_photos
from api.schemas.photos import PhotoList, PhotosReceived, PhotoView, Rebuilt, ReceivedPhoto, Retried
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
def send_photos(album: AlbumDep, photos: PhotosDep, services: ServicesDep) -> PhotosReceived:
    """Send photos: one as a raw body with `?name=`, or many as files of a form. They are kept and indexed.

    Photos that the album has are not indexed again: those of the same name and bytes or, when `source` says where the
    names come from, of the same source, name and bytes. Other bytes from the same source and name replace the photo.
    """
    job, refs = keep_photos(services, album, photos)
    received = [ReceivedPhoto(photo=ref.name, size_bytes=ref.size_bytes) for ref in refs]
    return PhotosReceived(job_id=job.id, photos=received)


@router.get("/photos", responses=problems(404, 422))
def list_photos(
    album: AlbumDep,
    services: ServicesDep,
    state: Annotated[PhotoState | None, Query(description="Only photos in this state.")] = None,
    limit: PageLimit = 100,
    after: PageAfter = None,
) -> PhotoList:
    """List photos and what became of them; the dead ones say why."""
    photos = services.ledger.photos.list(album.id, state, limit + 1, str(after) if after else None)
    page = photos[:limit]
    return PhotoList(photos=[PhotoView.of(photo) for photo in page], next=page[-1].id if len(photos) > limit else None)


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
