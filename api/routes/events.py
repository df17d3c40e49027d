"""Bucket notifications: taken from S3 servers that call back, and those that said nothing usable."""

import base64
import hashlib
import hmac

from anyio import to_thread
from fastapi import APIRouter, Depends, Request, status
from fastapi.exceptions import HTTPException

from api.body_limit import allow_body
from api.dependencies import PageAfter, PageLimit, ServicesDep, WholeTenantDep, require_model_version
from api.problems_in_openapi import problems
from api.schemas.events import DeadEventList, DeadEventView, EventsTaken
from facefleet.ledger.ingest import EVENTS_TENANT
from facefleet.s3_events import EventRules, parse_notification

#: S3 sends at most 64 KiB, and servers like it may gather some events.
_MAX_BODY_BYTES = 1024 * 1024
_SIGNATURE_HEADER = "X-Facefleet-Signature"

router = APIRouter(prefix="/v1", tags=["events"])


async def require_secret(request: Request, services: ServicesDep) -> None:
    """Refuse whoever does not know the secret.

    The caller signs the raw body (`X-Facefleet-Signature: sha256=` and the HMAC-SHA256 in hexadecimal digits) or, as S3
    servers do that cannot sign, sends the secret itself (`Authorization: Bearer`, the secret alone, or `Basic` with the
    secret as password, which is what a URL http://user:secret@host/ makes of it).

    Raises:
        HTTPException: 404 while no secret is set, 401 when neither header fits.
    """
    secret = services.settings.s3_events_secret.get_secret_value().encode()
    if not secret:
        raise HTTPException(
            status.HTTP_404_NOT_FOUND, "This server takes no events: FACEFLEET_S3_EVENTS_SECRET is unset."
        )
    allow_body(request, _MAX_BODY_BYTES)
    expected = "sha256=" + hmac.new(secret, await request.body(), hashlib.sha256).hexdigest()
    signature = request.headers.get(_SIGNATURE_HEADER, "")
    token = _token_of(request.headers.get("authorization", ""))
    # Both comparisons always run, and take as long for a wrong value as for the right one.
    is_signed = hmac.compare_digest(signature.lower().encode(), expected.encode())
    is_known = hmac.compare_digest(token.encode(), secret)
    if not (is_signed or is_known):
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "Neither the signature nor the token is that of the secret.")


def _token_of(authorization: str) -> str:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return authorization.removeprefix("Bearer ")
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


@router.post(
    "/events/s3",
    dependencies=[Depends(require_secret), Depends(require_model_version)],
    responses=problems(401, 404, 413),
)
async def take_events(request: Request, services: ServicesDep) -> EventsTaken:
    """Take a bucket notification in AWS' format; everything it says is in the ledger when the answer comes.

    A notification that cannot be used is answered with 200 all the same, or the S3 server would send it for ever: it is
    shown by `/v1/ingest/dead`.
    """
    parsed = parse_notification(await request.body(), EventRules.of(services.settings))
    new = await to_thread.run_sync(services.ledger.ingest.apply, parsed.events, parsed.rejected, services.model_version)
    return EventsTaken(events=len(parsed.events), rejected=len(parsed.rejected), new_photos=new)


@router.get("/ingest/dead", responses=problems(422))
def list_dead_events(
    services: ServicesDep, tenant: WholeTenantDep, limit: PageLimit = 100, after: PageAfter = None
) -> DeadEventList:
    """List the notifications that said nothing usable, newest first; they are kept for 14 days.

    Buckets are the operator's: other tenants have none.
    """
    if tenant != EVENTS_TENANT:
        return DeadEventList(events=[], next=None)
    found = services.ledger.ingest.list_dead(limit + 1, after)
    shown = [DeadEventView.of(event) for event in found[:limit]]
    return DeadEventList(events=shown, next=shown[-1].id if len(found) > limit else None)
