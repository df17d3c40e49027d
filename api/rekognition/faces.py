"""ListFaces and DeleteFaces."""

from typing import Any
from uuid import UUID

import structlog

from api.rekognition.call import Call
from api.rekognition.collections import DEFAULT_PAGE, invalid_token
from api.rekognition.users import require_user
from api.rekognition.views import show_face
from facefleet.errors import FacefleetError
from facefleet.records import Album

log = structlog.stdlib.get_logger(__name__)


def list_faces(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """List one page of faces by id; the token is the last id, so that faces may come and go in between."""
    album = call.find_album(request["CollectionId"])
    limit = request.get("MaxResults") or DEFAULT_PAGE
    only = _choose(call, album, request)
    faces = call.services.ledger.found_faces.walk(album.id, limit + 1, _read_token(request.get("NextToken")), only)
    shown, version = faces[:limit], call.face_model_version
    return {
        "Faces": [show_face(face, version) for face in shown],
        "NextToken": str(shown[-1].id) if len(faces) > limit else None,
        "FaceModelVersion": version,
    }


def delete_faces(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Delete faces that belong to no user; an image that has none left goes with its last one."""
    services = call.services
    album = call.find_album(request["CollectionId"])
    wanted = list(dict.fromkeys(UUID(face_id) for face_id in request["FaceIds"]))
    known = {face_id for face_id, face in services.ledger.faces.get_many(wanted).items() if face.album_id == album.id}
    users = {face_id: label.user_id for face_id, label in services.ledger.images.labels(known).items() if label.user_id}
    free = [face_id for face_id in wanted if face_id in known and face_id not in users]
    services.gallery.delete_faces(album.id, free)
    deleted, images = services.ledger.images.delete_faces(album.id, free)
    call.reach.note("faces_deleted", album.id, faces=len(deleted), photos=len(images))
    for uri in images:
        try:
            services.stores.delete(uri)
        except FacefleetError as error:
            log.warning("image left behind until its album is deleted", uri=uri, error=str(error))
    return {
        "DeletedFaces": [str(face_id) for face_id in wanted if face_id in deleted],
        "UnsuccessfulFaceDeletions": [
            {
                "FaceId": str(face_id),
                "UserId": users.get(face_id),
                "Reasons": ["ASSOCIATED_TO_AN_EXISTING_USER" if face_id in users else "FACE_NOT_FOUND"],
            }
            for face_id in wanted
            if face_id not in deleted
        ],
    }


def _choose(call: Call, album: Album, request: dict[str, Any]) -> set[UUID] | None:
    """Name the faces that a request asks for by id or by user; None for all of them."""
    chosen = {UUID(face_id) for face_id in request["FaceIds"]} if "FaceIds" in request else None
    if "UserId" not in request:
        return chosen
    require_user(call, album, request["UserId"])
    theirs = set(call.services.ledger.users.faces_of(album.id, [request["UserId"]]).get(request["UserId"], ()))
    return theirs if chosen is None else theirs & chosen


def _read_token(token: str | None) -> UUID | None:
    try:
        return None if token is None else UUID(token)
    except ValueError as error:
        raise invalid_token() from error
