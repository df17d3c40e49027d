"""Search with an image, or only find the faces in it."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field

from api.bodies import ProbeDep, bodies_in_openapi
from api.dependencies import (
    AlbumDep,
    ReachDep,
    RecognizerDep,
    SearchesDep,
    Services,
    ServicesDep,
    stands_in_line,
)
from api.photo_links import Links
from api.problems_in_openapi import problems
from api.schemas.albums import AlbumName
from api.schemas.faces import (
    CandidateView,
    DetectedView,
    FaceView,
    ProbeFaceView,
    ProbeResultView,
    SearchView,
    SimilarFaces,
)
from api.search_queue import SearchQueue
from facefleet.errors import PhotoNotFound
from facefleet.recognition.recognizer import Recognizer
from facefleet.records import Album, Candidate, Face, PhotoState
from facefleet.search import AlbumSearch, find_candidates, search_album

router = APIRouter(prefix="/v1", tags=["search"], dependencies=[Depends(stands_in_line)])

_PROBLEMS = problems(413, 415, 422, 503)
_BODIES = bodies_in_openapi("image")
_OTHER_PACK = "the album was indexed with another model pack, whose faces cannot be compared: index it again"


class SearchOptions(BaseModel):
    """What a search may be asked for."""

    limit: int | None = Field(default=None, ge=1, le=4096, description="Candidates for each face of the image.")
    min_similarity: float | None = Field(default=None, ge=-1, le=1, description="Smallest cosine similarity.")
    links: bool = Field(default=False, description="Whether every candidate carries a signed link to its photo.")


@router.post(
    "/albums/{album}/search", openapi_extra=_BODIES, response_model=SearchView, responses=problems(404) | _PROBLEMS
)
async def search_in_album(
    request: Request,
    album: Annotated[AlbumName, Path(description="The album's name.")],
    recognizer: RecognizerDep,
    probe_bytes: ProbeDep,
    reach: ReachDep,
    services: ServicesDep,
    wanted: Annotated[SearchOptions, Query()],
) -> Response:
    """Find the photos of the people in an image: every face in it gets its own candidates, best first."""

    def answer() -> Response:  # all in one thread: handing over to others costs more than the ledger does
        known = reach.album(album)
        found = _search(services, recognizer, known, probe_bytes, wanted)
        candidates = [each for face in found.faces for each in face.candidates]
        reach.note("search", known.id, faces=len(found.faces), candidates=len(candidates))
        if wanted.links:
            _add_links(request, candidates)
        return Response(found.model_dump_json(), media_type="application/json")

    searches: SearchQueue = request.app.state.searches
    with services.metrics.search_duration_s.time():  # what waits in line waits, too
        return await searches.run(answer)


def _search(
    services: Services, recognizer: Recognizer, album: Album, probe_bytes: bytes, wanted: SearchOptions
) -> SearchView:
    probe, results = search_album(
        AlbumSearch(recognizer, services.gallery, services.ledger),
        album.id,
        probe_bytes,
        limit=wanted.limit or services.settings.search_limit,
        min_similarity=recognizer.similarity_threshold if wanted.min_similarity is None else wanted.min_similarity,
    )
    faces = [ProbeResultView.of(result, probe, services.similarity) for result in results]
    found_nobody = bool(results) and not any(result.candidates for result in results)
    notice = _explain_nothing(services, recognizer.model_version, album) if found_nobody else None
    return SearchView(width=probe.width_px, height=probe.height_px, faces=faces, notice=notice)


@router.get("/albums/{album}/faces/{face}/similar", responses=problems(404, 422, 503))
async def find_similar_faces(
    request: Request,
    album: AlbumDep,
    face: UUID,
    reach: ReachDep,
    services: ServicesDep,
    recognizer: RecognizerDep,
    wanted: Annotated[SearchOptions, Query()],
) -> SimilarFaces:
    """Find the faces that look like one of the album's own, best first: no image is needed, nor looked at."""

    def find() -> tuple[Face, list[Candidate]]:
        own, found = _find_similar(services, recognizer, album, face, wanted)
        reach.note("search", album.id, faces=1, candidates=len(found))
        return own, found

    searches: SearchQueue = request.app.state.searches
    own, found = await searches.run(find)
    shown = FaceView.of(own)
    candidates = [CandidateView.of(candidate, services.similarity) for candidate in found]
    if wanted.links:
        shown.crop = Links.of(request).to_crop(face)
        _add_links(request, candidates)
    return SimilarFaces(face=shown, candidates=candidates)


def _find_similar(
    services: Services, recognizer: Recognizer, album: Album, face_id: UUID, wanted: SearchOptions
) -> tuple[Face, list[Candidate]]:
    known = services.ledger.faces.get_many([face_id]).get(face_id)
    if known is None or known.album_id != album.id:
        raise PhotoNotFound("there is no such face in this album (any more)")
    templates = services.gallery.templates(recognizer.model_version, album.id, [face_id])
    if face_id not in templates:
        raise PhotoNotFound("the face is not in the gallery: its photo was indexed with another model pack")
    limit = wanted.limit or services.settings.search_limit
    found = find_candidates(
        AlbumSearch(recognizer, services.gallery, services.ledger),
        album.id,
        templates[face_id],
        limit + 1,
        recognizer.similarity_threshold if wanted.min_similarity is None else wanted.min_similarity,
    )
    return known, [candidate for candidate in found if candidate.face.id != face_id][:limit]


def _add_links(request: Request, candidates: Sequence[CandidateView]) -> None:
    links = Links.of(request)
    for candidate in candidates:
        candidate.link = links.to_photo(candidate.photo_id)
        candidate.thumbnail = links.to_thumbnail(candidate.photo_id)
        candidate.crop = links.to_crop(candidate.face_id)


def _explain_nothing(services: Services, model_version: str, album: Album) -> str | None:
    """Tell when the album's faces cannot be compared with the probe's."""
    indexed = services.ledger.photos.list(album.id, PhotoState.INDEXED, 1, None)
    if not indexed or indexed[0].model_version == model_version:
        return None
    return None if services.gallery.count(model_version, album.id) else _OTHER_PACK


@router.post("/detect", openapi_extra=_BODIES, responses=_PROBLEMS)
async def detect_faces(recognizer: RecognizerDep, image_bytes: ProbeDep, searches: SearchesDep) -> DetectedView:
    """Find the faces in an image; nothing is stored."""
    image = await searches.run(lambda: recognizer.recognize(image_bytes, urgent=True))
    faces = [ProbeFaceView.of(face, image) for face in image.faces]
    return DetectedView(width=image.width_px, height=image.height_px, faces=faces)
