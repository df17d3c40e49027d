"""Who new faces are likely to be, as three classifiers see it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from api.dependencies import ReachDep, ServicesDep
from api.problems_in_openapi import problems
from api.reach import Reach
from api.schemas.predictions import ImagePredictions, PhotoPredictionsView, PredictedFaces
from facefleet.errors import PhotoNotFound
from facefleet.records import Photo

router = APIRouter()


@router.get("/v1/photos/{photo}/predictions", tags=["people"], responses=problems(404, 422))
def show_predictions_of_photo(photo: UUID, services: ServicesDep, reach: ReachDep) -> PhotoPredictionsView:
    """Say who is on a photo that was indexed while somebody had a name: what each classifier said about each face."""
    found = _find(reach, photo)
    said = reach.ledger.predictions.of_photo(found, services.settings.max_attempts)
    faces = PredictedFaces.list_faces(said, services.settings.prediction_min_confidence)
    return PhotoPredictionsView(photo_id=found.id, photo=found.name, state=said.state, faces=faces)


@router.get("/predictions/{image_id}", tags=["compatibility"], responses=problems(404, 422))
def show_predictions(
    image_id: Annotated[UUID, Path(description="`image_id` of `POST /upload`.")],
    services: ServicesDep,
    reach: ReachDep,
) -> ImagePredictions:
    """Say who is on an image that was uploaded: what each classifier said about each face."""
    found = _find(reach, image_id)
    said = reach.ledger.predictions.of_photo(found, services.settings.max_attempts)
    faces = PredictedFaces.list_faces(said, services.settings.prediction_min_confidence)
    return ImagePredictions(image_id=found.id, status=said.state, faces=faces)


def _find(reach: Reach, photo_id: UUID) -> Photo:
    """Find a photo of an album within reach.

    Raises:
        PhotoNotFound: there is none.
        AlbumNotFound: its album is not within reach.
    """
    found = reach.ledger.photos.get_many([photo_id]).get(photo_id)
    if found is None:
        raise PhotoNotFound("there is no such photo")
    reach.album_of_id(found.album_id)
    return found
