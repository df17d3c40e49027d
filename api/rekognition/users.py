"""Users: faces of one person under the caller's own id, found by the mean of their templates."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid5

import numpy as np

from api.rekognition.call import Call
from api.rekognition.collections import invalid_token
from api.rekognition.errors import RekognitionError
from api.rekognition.user_vectors import mean_template, most_typical
from facefleet.face_records import Template
from facefleet.records import Album

_MOST_FACES = 100
_ASSOCIATION_THRESHOLD = 75.0
_DEFAULT_PAGE = 500
_ACTIVE, _CREATED = "ACTIVE", "CREATED"


def create_user(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Enter a user without faces."""
    album, user_id = call.find_album(request["CollectionId"]), request["UserId"]

    def create() -> dict[str, Any]:
        if not call.services.ledger.users.create(album.id, user_id):
            raise RekognitionError("ConflictException", f"The user id: {user_id} already exists.")
        return {}

    return _once(call, album, "CreateUser", request, create)


def delete_user(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Remove a user; its faces stay in the collection."""
    album, user_id = call.find_album(request["CollectionId"]), request["UserId"]

    def delete() -> dict[str, Any]:
        if not call.services.ledger.users.delete(album.id, user_id):
            raise _unknown_user(user_id)
        return {}

    return _once(call, album, "DeleteUser", request, delete)


def list_users(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """List one page of users by id; the token is the last id, so that users may come and go in between."""
    album = call.find_album(request["CollectionId"])
    after = request.get("NextToken")
    if after == "":
        raise invalid_token()
    limit = request.get("MaxResults", _DEFAULT_PAGE)
    users = call.services.ledger.users.page(album.id, limit + 1, after)
    shown = users[:limit]
    return {
        "Users": [
            {"UserId": user_id, "UserStatus": _ACTIVE if has_faces else _CREATED} for user_id, has_faces in shown
        ],
        "NextToken": shown[-1][0] if len(users) > limit else None,
    }


def associate_faces(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Give faces to a user, of those that look enough like the ones it has, or like each other."""
    album = call.find_album(request["CollectionId"])
    require_user(call, album, request["UserId"])
    return _once(call, album, "AssociateFaces", request, lambda: _associate(call, album, request))


def disassociate_faces(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Take faces from a user."""
    album = call.find_album(request["CollectionId"])
    require_user(call, album, request["UserId"])
    return _once(call, album, "DisassociateFaces", request, lambda: _disassociate(call, album, request))


def require_user(call: Call, album: Album, user_id: str) -> None:
    """Refuse a user that the collection does not have."""
    if not call.services.ledger.users.exists(album.id, user_id):
        raise _unknown_user(user_id)


def _associate(call: Call, album: Album, request: dict[str, Any]) -> dict[str, Any]:
    ledger, user_id = call.services.ledger, request["UserId"]
    wanted = _read_ids(request)
    known, owners = _find_owners(call, album, wanted)
    free = [face_id for face_id in wanted if face_id in known and owners.get(face_id, user_id) == user_id]
    own = ledger.users.faces_of(album.id, [user_id]).get(user_id, [])
    templates = call.services.gallery.templates(call.services.model_version, album.id, [*own, *free])
    percents = _compare(call, [templates[each] for each in own if each in templates], free, templates)
    least = request.get("UserMatchThreshold", _ASSOCIATION_THRESHOLD)
    alike = {face_id for face_id in free if face_id in own or percents.get(face_id, 0.0) >= least}
    accepted = ledger.users.associate(album.id, user_id, alike, _MOST_FACES)
    if accepted is None:
        raise RekognitionError("ServiceQuotaExceededException", f"A user has at most {_MOST_FACES} faces.")
    refused: list[dict[str, Any]] = []
    for face_id in wanted:
        if face_id not in known:
            refused.append({"FaceId": str(face_id), "Reasons": ["FACE_NOT_FOUND"]})
        elif face_id not in free or face_id in alike - accepted:
            theirs = owners.get(face_id)
            refused.append({"FaceId": str(face_id), "UserId": theirs, "Reasons": ["ASSOCIATED_TO_A_DIFFERENT_USER"]})
        elif face_id not in alike:
            low = {"FaceId": str(face_id), "Confidence": percents.get(face_id, 0.0)}
            refused.append({**low, "Reasons": ["LOW_MATCH_CONFIDENCE"]})
    return {
        "AssociatedFaces": [{"FaceId": str(face_id)} for face_id in wanted if face_id in accepted],
        "UnsuccessfulFaceAssociations": refused,
        "UserStatus": _status_of(call, album, user_id),
    }


def _disassociate(call: Call, album: Album, request: dict[str, Any]) -> dict[str, Any]:
    user_id, wanted = request["UserId"], _read_ids(request)
    _, owners = _find_owners(call, album, wanted)
    gone = call.services.ledger.users.disassociate(album.id, user_id, wanted)
    return {
        "DisassociatedFaces": [{"FaceId": str(face_id)} for face_id in wanted if face_id in gone],
        "UnsuccessfulFaceDisassociations": [
            {
                "FaceId": str(face_id),
                "UserId": owners.get(face_id),
                "Reasons": ["ASSOCIATED_TO_A_DIFFERENT_USER" if face_id in owners else "FACE_NOT_FOUND"],
            }
            for face_id in wanted
            if face_id not in gone
        ],
        "UserStatus": _status_of(call, album, user_id),
    }


def _compare(
    call: Call, own: Sequence[Template], free: Sequence[UUID], templates: dict[UUID, Template]
) -> dict[UUID, float]:
    """Say how much each face looks like the user: like the mean of its faces or, of a new one, the most typical."""
    given = {face_id: templates[face_id] for face_id in free if face_id in templates}
    if not given:
        return {}
    like = mean_template(own) if own else most_typical(list(given.values()))
    return {face_id: call.services.similarity.percent(float(np.dot(like, each))) for face_id, each in given.items()}


def _find_owners(call: Call, album: Album, face_ids: Sequence[UUID]) -> tuple[set[UUID], dict[UUID, str]]:
    """Tell which faces the album has, and whose they are."""
    faces = call.services.ledger.faces.get_many(face_ids)
    known = {face_id for face_id, face in faces.items() if face.album_id == album.id}
    labels = call.services.ledger.images.labels(known)
    return known, {face_id: label.user_id for face_id, label in labels.items() if label.user_id is not None}


def _status_of(call: Call, album: Album, user_id: str) -> str:
    return _ACTIVE if call.services.ledger.users.faces_of(album.id, [user_id]) else _CREATED


def _once(
    call: Call, album: Album, operation: str, request: dict[str, Any], run: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Answer a request with a token that was answered before as before.

    Raises:
        RekognitionError: the token was another request's.
    """
    token = request.get("ClientRequestToken")
    if token is None:
        return run()
    tokens = call.services.ledger.client_tokens
    name = uuid5(album.id, repr((operation, sorted(request.items()))))
    known = tokens.find(album.id, token)
    if known is None:
        answer = run()
        tokens.keep(album.id, token, name, answer)
        return answer
    if known[0] != name:
        raise RekognitionError(
            "IdempotentParameterMismatchException", "The ClientRequestToken was used for another request."
        )
    return known[1]


def _read_ids(request: dict[str, Any]) -> list[UUID]:
    return list(dict.fromkeys(UUID(face_id) for face_id in request["FaceIds"]))


def _unknown_user(user_id: str) -> RekognitionError:
    return RekognitionError("ResourceNotFoundException", f"The user id: {user_id} does not exist")
