"""Tags of collections."""

import re
from typing import Any

from api.rekognition.call import Call
from api.rekognition.errors import InvalidParameter, RekognitionError
from facefleet.records import Album

_MOST_TAGS = 200
_COLLECTION_ARN = re.compile(r"arn:aws[a-z-]*:rekognition:[a-z0-9-]*:\d{12}:collection/([a-zA-Z0-9_.\-]{1,255})")


def tag_resource(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Add tags to a collection."""
    put_tags(call, _find(call, request), request["Tags"])
    return {}


def untag_resource(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Remove tags from a collection."""
    call.services.ledger.tags.remove(_find(call, request).id, request["TagKeys"])
    return {}


def list_tags(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """List the tags of a collection."""
    return {"Tags": call.services.ledger.tags.of(_find(call, request).id)}


def put_tags(call: Call, album: Album, tags: dict[str, str]) -> None:
    """Add tags, or refuse them all."""
    if not call.services.ledger.tags.put(album.id, tags, _MOST_TAGS):
        raise RekognitionError("ServiceQuotaExceededException", f"A collection has at most {_MOST_TAGS} tags.")


def _find(call: Call, request: dict[str, Any]) -> Album:
    named = _COLLECTION_ARN.fullmatch(request["ResourceArn"])
    if named is None:
        raise InvalidParameter("The ResourceArn is not that of a collection.")
    return call.find_album(named.group(1))
