"""Search with an image, or only find the faces in it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.bodies import ProbeDep, bodies_in_openapi
from api.dependencies import AlbumDep, RecognizerDep, Services, ServicesDep, refuse_search_early
from api.problems_in_openapi import problems
from api.schemas.faces import DetectedView, ProbeFaceView, ProbeResultView, SearchView
from facefleet.records import Album, PhotoState
from facefleet.search import AlbumSearch, search_album

router = APIRouter(prefix="/v1", tags=["search"], dependencies=[Depends(refuse_search_early)])

_PROBLEMS = problems(413, 415, 422, 503)
_BODIES = bodies_in_openapi("image")
_OTHER_PACK = "the album was indexed with another model pack, whose faces cannot be compared: index it again"


@router.post("/albums/{album}/search", openapi_extra=_BODIES, responses=problems(404) | _PROBLEMS)
def search_in_album(
    album: AlbumDep,
    recognizer: RecognizerDep,
    probe_bytes: ProbeDep,
    services: ServicesDep,
    limit: Annotated[int | None, Query(ge=1, le=4096, description="Candidates for each face of the image.")] = None,
    min_similarity: Annotated[float | None, Query(ge=-1, le=1, description="Smallest cosine similarity.")] = None,
) -> SearchView:
    """Find the photos of the people in an image: every face in it gets its own candidates, best first."""
    settings = services.settings
    with services.metrics.search_duration_s.time():
        probe, results = search_album(
            AlbumSearch(recognizer, services.gallery, services.ledger),
            album.id,
            probe_bytes,
            limit=settings.search_limit if limit is None else limit,
            min_similarity=recognizer.similarity_threshold if min_similarity is None else min_similarity,
        )
    faces = [ProbeResultView.of(result, probe, services.similarity) for result in results]
    found_nobody = bool(results) and not any(result.candidates for result in results)
    notice = _explain_nothing(services, recognizer.model_version, album) if found_nobody else None
    return SearchView(width=probe.width_px, height=probe.height_px, faces=faces, notice=notice)


def _explain_nothing(services: Services, model_version: str, album: Album) -> str | None:
    """Tell when the album's faces cannot be compared with the probe's."""
    if services.gallery.count(model_version, album.id):
        return None
    indexed = services.ledger.photos.list(album.id, PhotoState.INDEXED, 1, None)
    return _OTHER_PACK if indexed and indexed[0].model_version != model_version else None


@router.post("/detect", openapi_extra=_BODIES, responses=_PROBLEMS)
def detect_faces(recognizer: RecognizerDep, image_bytes: ProbeDep) -> DetectedView:
    """Find the faces in an image; nothing is stored."""
    image = recognizer.recognize(image_bytes, urgent=True)
    faces = [ProbeFaceView.of(face, image) for face in image.faces]
    return DetectedView(width=image.width_px, height=image.height_px, faces=faces)
