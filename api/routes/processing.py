"""`POST /process`: an image by its address, its faces as the answer and, if wanted, as a signed callback."""

from anyio import to_thread
from fastapi import APIRouter, Depends

from api.bodies import require_json
from api.dependencies import (
    PageLimit,
    ReachDep,
    RecognizerDep,
    SearchesDep,
    Services,
    ServicesDep,
    WholeTenantDep,
    stands_in_line,
)
from api.error_responses import CallbacksOff, MediaUrlsOff
from api.problems_in_openapi import problems
from api.schemas.processing import DeadCallbackList, DeadCallbackView, MediaFace, MediaFaces, MediaRequest

router = APIRouter(tags=["compatibility"])


@router.post(
    "/process",
    dependencies=[Depends(require_json), Depends(stands_in_line)],
    responses=problems(400, 403, 413, 415, 422, 503),
)
async def process_media(
    wanted: MediaRequest, services: ServicesDep, recognizer: RecognizerDep, reach: ReachDep, searches: SearchesDep
) -> MediaFaces:
    """Fetch an image and give its faces back; nothing is stored but a callback until it was taken."""
    _require_allowed(services, wanted)
    settings = services.settings
    from facefleet.outbound import Outbound  # noqa: PLC0415  httpx, a fifth of a second that few servers need

    image_bytes = await Outbound(settings.media_url_timeout_s, settings.max_probe_bytes).get(wanted.media_url)
    image = await searches.run(lambda: recognizer.recognize(image_bytes, urgent=True))
    answer = MediaFaces(
        job_id=wanted.job_id,
        media_id=wanted.media_id,
        event_id=wanted.event_id,
        model_version=recognizer.model_version,
        faces=[MediaFace.of(face, image) for face in image.faces],
    )
    await to_thread.run_sync(lambda: reach.note("templates_exported", "", faces=len(answer.faces)))
    if wanted.callback_url is not None:
        add = services.ledger.callbacks.add
        await to_thread.run_sync(add, reach.caller.tenant, wanted.callback_url, answer.model_dump_json())
    return answer


@router.get("/v1/callbacks/dead")
def list_dead_callbacks(services: ServicesDep, tenant: WholeTenantDep, limit: PageLimit = 100) -> DeadCallbackList:
    """List the callbacks that nobody took, newest first; they are kept for 14 days, without their content."""
    dead = services.ledger.callbacks.list_dead(tenant, limit)
    return DeadCallbackList(callbacks=[DeadCallbackView.of(each) for each in dead])


def _require_allowed(services: Services, wanted: MediaRequest) -> None:
    if not services.settings.media_urls:
        raise MediaUrlsOff("this server fetches nothing (FACEFLEET_MEDIA_URLS): send the image to /v1/detect instead")
    if wanted.callback_url is not None and not services.settings.callback_secret.get_secret_value():
        raise CallbacksOff("this server calls nobody back: FACEFLEET_CALLBACK_SECRET is unset")
