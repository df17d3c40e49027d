"""Front doors of other face services, thin, over the same code. Whoever comes from one changes the address."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response, status

from api.bodies import PhotosDep, ProbeDep, bodies_in_openapi
from api.dependencies import (
    ReachDep,
    SearchesDep,
    ServicesDep,
    admit_upload,
    require_model_version,
    stands_in_line,
)
from api.photo_links import link_to_photo
from api.problems_in_openapi import problems
from api.receiving import keep_photos
from api.rekognition import indexing, looking, searching
from api.rekognition.call import Call
from api.rekognition.service_model import load_service_model
from api.rekognition.shapes import parse
from api.schemas.albums import AlbumName
from facefleet.errors import AlbumNotFound, FacefleetError, InvalidRequest
from facefleet.records import Json, photo_id_of

router = APIRouter(tags=["compatibility"])
searches = APIRouter(
    tags=["compatibility"],
    dependencies=[Depends(stands_in_line)],
    responses=problems(400, 404, 413, 415, 422, 503),
)

_IMAGE = bodies_in_openapi("image")
_WORD_BEGINS = re.compile(r"(?<=[a-z])(?=[A-Z])")
#: What a request may say beside its image, as a query parameter or a field of its form: (Rekognition's word, type).
_OPTIONS: dict[str, tuple[str, type]] = {
    "external_image_id": ("ExternalImageId", str),
    "max_faces": ("MaxFaces", int),
    "similarity_threshold": ("FaceMatchThreshold", float),
}


async def read_options(request: Request, _probe: ProbeDep) -> Json:
    """Read the options of a request whose image was read, in Rekognition's words.

    Raises:
        InvalidRequest: one of them is no number.
    """
    is_form = request.headers.get("content-type", "").startswith("multipart/form-data")
    given = {**(await request.form() if is_form else {}), **request.query_params}
    options = {}
    for name, (word, kind) in _OPTIONS.items():
        if name in given:
            try:
                options[word] = kind(given[name])
            except (TypeError, ValueError) as error:
                raise InvalidRequest(f"{name}: {given[name]!r} is not a number") from error
    return options


OptionsDep = Annotated[Json, Depends(read_options)]
CollectionPath = Annotated[AlbumName, Path(description="The album's name.")]


async def get_call(services: ServicesDep, reach: ReachDep) -> Call:
    """Make a call of Rekognition out of a request that knows nothing of regions."""
    return Call(services, reach, "us-east-1")


CallDep = Annotated[Call, Depends(get_call)]


@searches.post("/api/v1/detect-faces", openapi_extra=_IMAGE)
async def detect_faces(call: CallDep, image: ProbeDep, searches: SearchesDep) -> Json:
    """Find the faces of an image: Rekognition's DetectFaces, in snake case."""
    return await searches.run(lambda: _ask(looking.detect_faces, call, "DetectFaces", image, {}))


@searches.post("/api/v1/collections/{collection}/index-faces", openapi_extra=_IMAGE)
async def index_faces(
    collection: CollectionPath, call: CallDep, image: ProbeDep, options: OptionsDep, searches: SearchesDep
) -> Json:
    """Keep an image and its faces: IndexFaces, with `external_image_id` and `max_faces`."""
    named = {"CollectionId": collection, **options}
    return await searches.run(lambda: _ask(indexing.index_faces, call, "IndexFaces", image, named))


@searches.post("/api/v1/collections/{collection}/search-faces", openapi_extra=_IMAGE)
async def search_faces(
    collection: CollectionPath, call: CallDep, image: ProbeDep, options: OptionsDep, searches: SearchesDep
) -> Json:
    """Search with the largest face: SearchFacesByImage, with `similarity_threshold` and `max_faces`."""
    named = {"CollectionId": collection, **options}
    return await searches.run(lambda: _ask(searching.search_faces_by_image, call, "SearchFacesByImage", image, named))


@searches.post("/search", openapi_extra=_IMAGE)
async def search(request: Request, call: CallDep, image: ProbeDep, options: OptionsDep, searches: SearchesDep) -> Json:
    """Search the one album of `FACEFLEET_COMPAT_ALBUM`; every match carries a link to its photo that expires."""
    named = {"CollectionId": call.services.settings.compat_album, **options}
    operation = searching.search_faces_by_image
    answer = await searches.run(lambda: _ask(operation, call, "SearchFacesByImage", image, named))
    for match in answer["face_matches"]:
        match["photo_url"] = link_to_photo(request, match["face"]["image_id"])
    return answer


@router.get("/health")
def show_health(services: ServicesDep, response: Response) -> Json:
    """Say whether searches would be answered."""
    checks = {
        "model_loaded": services.recognizer is not None and services.recognizer.healthy,
        "qdrant_healthy": _answers(services),
        "shutdown_initiated": services.stopping.is_set(),
    }
    ready = checks["model_loaded"] and checks["qdrant_healthy"] and not checks["shutdown_initiated"]
    if not ready:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return {"status": "healthy" if ready else "unhealthy", "ready": ready, "checks": checks}


@router.get("/status", responses=problems(503))
def show_status(services: ServicesDep, reach: ReachDep) -> Json:
    """Count the faces of the one album of `FACEFLEET_COMPAT_ALBUM`."""
    name = services.settings.compat_album
    try:
        album = reach.album(name)
    except AlbumNotFound:
        return {"collection": name, "vectors": 0, "status": "missing"}
    return {"collection": name, "vectors": services.ledger.faces.count(album.id), "status": "ready"}


@router.post(
    "/upload",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=[Depends(admit_upload), Depends(require_model_version)],
    openapi_extra=bodies_in_openapi("files", many=True),
    responses=problems(413, 415, 422, 503),
)
def upload(photos: PhotosDep, services: ServicesDep, reach: ReachDep) -> Json:
    """Send a photo to the one album of `FACEFLEET_COMPAT_ALBUM`, which is made on first sight."""
    album = reach.ensure_album(services.settings.compat_album)
    job, refs = keep_photos(services, album, photos)
    ids = [str(photo_id_of(album.id, ref.uri, ref.version, services.model_version)) for ref in refs]
    return {"image_id": ids[0], "image_ids": ids, "job_id": str(job.id)}


def _ask(operation: Any, call: Call, name: str, image: bytes, options: Json) -> Json:  # noqa: ANN401  any operation
    """Run an operation of Rekognition whose options are held against its service model."""
    shape = load_service_model().operation_model(name).input_shape
    known = {key: parse(shape.members[key], each, key) for key, each in options.items() if key in shape.members}
    if "CollectionId" in known:
        call.reach.album(known["CollectionId"])
    answer: Json = _snake(operation(call, {**known, "Image": {"Bytes": image}}))
    return answer


def _snake(value: Any) -> Any:  # noqa: ANN401  JSON
    if isinstance(value, dict):
        return {_WORD_BEGINS.sub("_", key).lower(): _snake(each) for key, each in value.items() if each is not None}
    return [_snake(each) for each in value] if isinstance(value, list) else value


def _answers(services: ServicesDep) -> bool:
    try:
        services.gallery.check()
    except FacefleetError:
        return False
    return True
