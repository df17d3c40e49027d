"""Faces of an album."""

from fastapi import APIRouter

from api.dependencies import AlbumDep, PageAfter, PageLimit, ServicesDep
from api.problems_in_openapi import problems
from api.schemas.faces import FaceList, FaceView

router = APIRouter(prefix="/v1/albums/{album}", tags=["faces"])


@router.get("/faces", responses=problems(404, 422))
def list_faces(
    album: AlbumDep,
    services: ServicesDep,
    limit: PageLimit = 100,
    after: PageAfter = None,
) -> FaceList:
    """List the faces of the album's indexed photos."""
    faces = services.ledger.faces.list(album.id, limit + 1, str(after) if after else None)
    page = faces[:limit]
    return FaceList(faces=[FaceView.of(face) for face in page], next=page[-1].id if len(faces) > limit else None)
