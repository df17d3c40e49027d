"""Who new faces are likely to be, as three classifiers see it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, status

from api.dependencies import AlbumDep, ReachDep, ServicesDep
from api.problems_in_openapi import problems
from api.routes.album_people import require_fleet
from api.schemas.predictions import ImagePredictions, PhotoPredictionsView, PhotosToPredict, PredictedFaces

router = APIRouter()


@router.get("/v1/photos/{photo}/predictions", tags=["people"], responses=problems(404, 422))
def show_predictions_of_photo(photo: UUID, services: ServicesDep, reach: ReachDep) -> PhotoPredictionsView:
    """Say who is on a photo that was indexed while somebody had a name: what each classifier said about each face."""
    found = reach.photo(photo)
    said = reach.ledger.predictions.of_photo(found, services.settings.max_attempts)
    faces = PredictedFaces.list_faces(said, services.settings.prediction_min_confidence)
    return PhotoPredictionsView(photo_id=found.id, photo=found.name, state=said.state, faces=faces)


@router.post(
    "/v1/albums/{album}/predictions",
    status_code=status.HTTP_202_ACCEPTED,
    tags=["people"],
    responses=problems(404, 409, 422),
)
def predict_album(
    album: AlbumDep,
    services: ServicesDep,
    again: Annotated[bool, Query(description="Whether photos that have predictions get new ones.")] = False,  # noqa: FBT002  a query
) -> PhotosToPredict:
    """Predict who is on photos that were indexed before anybody had a name; with `again`, on all photos."""
    require_fleet(services)
    return PhotosToPredict(photos=services.ledger.prediction_outbox.want(album.id, again=again))


@router.get("/predictions/{image_id}", tags=["compatibility"], responses=problems(404, 422))
def show_predictions(
    image_id: Annotated[UUID, Path(description="`image_id` of `POST /upload`.")],
    services: ServicesDep,
    reach: ReachDep,
) -> ImagePredictions:
    """Say who is on an image that was uploaded: what each classifier said about each face."""
    found = reach.photo(image_id)
    said = reach.ledger.predictions.of_photo(found, services.settings.max_attempts)
    faces = PredictedFaces.list_faces(said, services.settings.prediction_min_confidence)
    return ImagePredictions(image_id=found.id, status=said.state, faces=faces)
