"""Collections: each is an album of the caller's tenant."""

import re
from http import HTTPStatus
from typing import Any

from api.rekognition.call import Call
from api.rekognition.errors import RekognitionError
from api.rekognition.tags import put_tags
from facefleet.errors import AlbumExists
from facefleet.purging import purge_album

#: Names that Rekognition can say; albums of other names are not shown as collections.
_COLLECTION_ID = re.compile(r"[a-zA-Z0-9_.\-]{1,255}")
DEFAULT_PAGE = 1000


def create_collection(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Create an empty album with its tags."""
    name = request["CollectionId"]
    try:
        album = call.reach.create_album(name)
    except AlbumExists as error:
        raise RekognitionError(
            "ResourceAlreadyExistsException", f"The collection id: {name} already exists."
        ) from error
    put_tags(call, album, request.get("Tags", {}))
    return {
        "StatusCode": HTTPStatus.OK.value,
        "CollectionArn": call.arn_of(name),
        "FaceModelVersion": call.face_model_version,
    }


def describe_collection(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Count an album's faces and users."""
    album = call.find_album(request["CollectionId"])
    return {
        "FaceCount": call.services.ledger.faces.count(album.id),
        "UserCount": call.services.ledger.users.count(album.id),
        "FaceModelVersion": call.face_model_version,
        "CollectionARN": call.arn_of(album.name),
        "CreationTimestamp": album.created_at,
    }


def list_collections(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """List one page of albums by name; the token is the last name, so that albums may come and go in between."""
    limit = request.get("MaxResults") or DEFAULT_PAGE
    after = request.get("NextToken")
    if after is not None and not _COLLECTION_ID.fullmatch(after):
        raise invalid_token()
    names: list[str] = []
    while len(names) <= limit:
        page = call.reach.page(limit + 1, after)
        names += [album.name for album in page if _COLLECTION_ID.fullmatch(album.name)]
        if len(page) <= limit:
            break
        after = page[-1].name
    shown = names[:limit]
    return {
        "CollectionIds": shown,
        "FaceModelVersions": [call.face_model_version] * len(shown),
        "NextToken": shown[-1] if len(names) > limit else None,
    }


def delete_collection(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Delete an album with its faces and the images that were sent."""
    services = call.services
    album = call.find_album(request["CollectionId"])
    parts = (services.ledger, services.gallery, services.stores, services.settings)
    purge_album(*parts, album, who=call.reach.caller.who)
    return {"StatusCode": HTTPStatus.OK.value}


def invalid_token() -> RekognitionError:
    """Say that a NextToken is none of ours."""
    return RekognitionError("InvalidPaginationTokenException", "The pagination token is not valid.")
