"""The Rekognition protocol: every operation is a `POST /` that its header names."""

import re
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import structlog
from anyio import to_thread
from fastapi import APIRouter, BackgroundTasks, Request, Response
from pydantic_core import to_json
from starlette.exceptions import HTTPException

from api.body_limit import SMALL_BODY_BYTES, allow_body
from api.credentials import Admission
from api.dependencies import Services, ServicesDep
from api.reach import Reach
from api.rekognition.call import Call
from api.rekognition.errors import RekognitionError, as_rekognition_error
from api.rekognition.operations import OPERATIONS, Operation
from api.rekognition.senders import Sender
from api.rekognition.service_model import load_service_model
from api.rekognition.shapes import parse, read_json, render
from api.search_queue import SearchQueue
from facefleet.errors import FacefleetError
from facefleet.identity.caller import EVERYBODY

_TARGET_PREFIX = "RekognitionService."
_MEDIA_TYPE = "application/x-amz-json-1.1"
#: Two images of 5 MiB in base64, and what is around them.
_MAX_BODY_BYTES = 2 * 5 * 1024 * 1024 * 4 // 3 + SMALL_BODY_BYTES
_NO_OPERATION = "The header X-Amz-Target names no operation of Rekognition (RekognitionService.DetectFaces, ...)."
_SCOPE_REGION = re.compile(r"Credential=[^/,]+/\d{8}/([a-z0-9-]+)/")

log = structlog.stdlib.get_logger(__name__)
router = APIRouter(tags=["rekognition"])


@router.post("/", include_in_schema=False)
async def call_rekognition(request: Request, services: ServicesDep, later: BackgroundTasks) -> Response:
    """Answer an operation of Amazon Rekognition; errors too are in AWS's form."""
    request_id = str(uuid4())
    try:
        answer = await _answer(request, services, later)
        status = HTTPStatus.OK
    except (FacefleetError, HTTPException) as error:
        failure = as_rekognition_error(error)
        answer, status = _describe(failure), failure.status
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.warning("request failed", target=request.headers.get("x-amz-target", ""), error=str(error))
    except Exception:
        log.exception("request failed", target=request.headers.get("x-amz-target", ""))
        unforeseen = "Something unforeseen went wrong in the server; its log says what."
        failure = RekognitionError("InternalServerError", unforeseen, HTTPStatus.INTERNAL_SERVER_ERROR)
        answer, status = _describe(failure), failure.status
    headers = {"x-amzn-RequestId": request_id}
    return Response(to_json(answer), status, headers, media_type=_MEDIA_TYPE)


async def _answer(request: Request, services: Services, later: BackgroundTasks) -> dict[str, Any]:
    name, operation = _find_operation(request.headers.get("x-amz-target", ""))
    searches: SearchQueue = request.app.state.searches
    if operation.looks:
        searches.require_room()  # before a key is looked up and an image is read, as `SearchGate` does
    admission: Admission = request.app.state.admission
    sender = await to_thread.run_sync(Sender.find, request, admission) if admission.keys_are_on else None
    if sender is not None and sender.known.use_is_news:
        later.add_task(admission.note_use, sender.known.key.id)
    allow_body(request, _MAX_BODY_BYTES)
    body = await request.body()

    def run() -> dict[str, Any]:
        caller = EVERYBODY if sender is None else sender.prove(request, body, admission)
        if not caller.may(operation.needs):
            raise RekognitionError("AccessDeniedException", f"{name} takes a key with the scope {operation.needs}.")
        region = _SCOPE_REGION.search(request.headers.get("authorization", ""))
        call = Call(services, Reach(services.ledger, caller), region.group(1) if region else "us-east-1")
        return _run(name, operation, call, body)

    return await (searches.run(run) if operation.looks else to_thread.run_sync(run))


def _run(name: str, operation: Operation, call: Call, body: bytes) -> dict[str, Any]:
    model = load_service_model().operation_model(name)
    answer = operation.run(call, parse(model.input_shape, read_json(body)))
    rendered: dict[str, Any] = render(model.output_shape, answer)
    return rendered


def _find_operation(target: str) -> tuple[str, Operation]:
    """Look an operation up.

    Raises:
        RekognitionError: it is not one of Rekognition's, or not one that is served here.
    """
    name = target.removeprefix(_TARGET_PREFIX)
    operation = OPERATIONS.get(name)
    if operation is not None and name != target:
        return name, operation
    is_known = name != target and name in load_service_model().operation_names
    message = f"Facefleet does not serve the operation {name}." if is_known else _NO_OPERATION
    raise RekognitionError("UnknownOperationException", message)


def _describe(failure: RekognitionError) -> dict[str, Any]:
    return {"__type": failure.code, "Code": failure.code, "Message": str(failure)}
