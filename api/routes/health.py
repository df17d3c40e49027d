"""Whether the process lives, whether it can serve, and what it counted."""

from collections.abc import Callable

from fastapi import APIRouter, Response, status
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from api.dependencies import Services, ServicesDep
from api.schemas.service import Check, Readiness
from facefleet.broker_check import check_broker
from facefleet.errors import FacefleetError, RecognizerUnavailable

router = APIRouter(tags=["service"])


@router.get("/healthz", response_class=PlainTextResponse)
async def check_alive() -> str:
    """Answer as long as the process lives. Touches nothing, not even the thread pool."""
    return "ok\n"


@router.get("/readyz", responses={503: {"model": Readiness, "description": "Something is missing."}})
def check_ready(services: ServicesDep, response: Response) -> Readiness:
    """Say whether the server can do its work, and which of what the fleet depends on is down.

    A store of uploads or a broker that is away does not make it unready: searches go on, and photos wait in the ledger.
    """
    needed = {
        "ledger": _check(services.ledger.check, "The ledger answers."),
        "gallery": _check(services.gallery.check, "The gallery answers."),
        "recognizer": _check(lambda: _check_recognizer(services), "The recognizer answers."),
    }
    # Without these, searches are answered and photos that are in S3 are taken in.
    checks = needed | {
        "upload_store": _check(services.stores.check_uploads, "The store of uploads answers."),
        "broker": _check(lambda: check_broker(services.settings.broker_url), "The broker answers, or is in-process."),
    }
    ready = all(check.ok for check in needed.values())
    if not ready:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return Readiness(ready=ready, checks=checks)


@router.get("/metrics", response_class=PlainTextResponse)
def show_metrics(services: ServicesDep) -> Response:
    """Show the process' metrics in Prometheus' text format."""
    return Response(services.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)


def _check(call: Callable[[], None], answer: str) -> Check:
    try:
        call()
    except FacefleetError as error:
        return Check(ok=False, detail=str(error))
    return Check(ok=True, detail=answer)


def _check_recognizer(services: Services) -> None:
    if services.recognizer is None:
        raise RecognizerUnavailable(
            "The server was started without a recognizer: it takes photos in but cannot search."
        )
    if not services.recognizer.healthy:
        raise RecognizerUnavailable("The model answered nonsense; the server has to be started again.")
