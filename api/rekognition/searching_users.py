"""SearchUsers and SearchUsersByImage.

The gallery holds faces, not users: the users of the nearest faces are looked at, each by the mean of its own. A user
whose mean is near has a face that is near, and nothing has to be kept true beside faces and users.
"""

from typing import Any
from uuid import UUID

import numpy as np

from api.rekognition.call import Call
from api.rekognition.errors import InvalidParameter
from api.rekognition.images import MAX_FACES, largest_first, look_at
from api.rekognition.looking import DEFAULT_SIMILARITY
from api.rekognition.quality_filter import reasons_against
from api.rekognition.searching import find_searched_face, template_of
from api.rekognition.user_vectors import mean_template
from api.rekognition.users import require_user
from api.rekognition.views import show_detail
from facefleet.face_records import Template
from facefleet.records import Album

_DEFAULT_USERS = 100
#: Faces whose users are looked at: what one search of the gallery hands out at most.
_NEAREST_FACES = 4096
#: A mean of faces that agree this little has no meaning; with it, a face is as near as its user times this, or nearer.
_LEAST_AGREEMENT = 0.5


def search_users(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Search with a face of the collection, or with a user, who is not a match of its own."""
    if ("FaceId" in request) == ("UserId" in request):
        raise InvalidParameter("Request has invalid parameters: it takes either a UserId or a FaceId.")
    album = call.find_album(request["CollectionId"])
    if "FaceId" in request:
        template, searched = template_of(call, album, UUID(request["FaceId"])), {"FaceId": request["FaceId"]}
        matches = _search(call, album, template, request)
        return {"UserMatches": matches, "FaceModelVersion": call.face_model_version, "SearchedFace": searched}
    user_id = request["UserId"]
    require_user(call, album, user_id)
    means = _means_of(call, album, [user_id])
    matches = _search(call, album, means[user_id], request, but=user_id) if user_id in means else []
    searched = {"UserId": user_id}
    return {"UserMatches": matches, "FaceModelVersion": call.face_model_version, "SearchedUser": searched}


def search_users_by_image(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Search with the largest face of an image; an image without a face finds nobody."""
    album = call.find_album(request["CollectionId"])
    photo = look_at(call, request["Image"], selfie=True)
    face = find_searched_face(photo, request)
    matches = [] if face is None else _search(call, album, face.template, request)
    quality_filter = request.get("QualityFilter", "NONE")
    return {
        "UserMatches": matches,
        "FaceModelVersion": call.face_model_version,
        "SearchedFace": None if face is None else {"FaceDetail": show_detail(face, photo)},
        "UnsearchedFaces": [
            {
                "FaceDetails": show_detail(each, photo),
                "Reasons": reasons_against(each, quality_filter) or ["FACE_NOT_LARGEST"],
            }
            for each in largest_first(photo)[:MAX_FACES]
            if each is not face
        ],
    }


def _search(
    call: Call, album: Album, template: Template, request: dict[str, Any], but: str | None = None
) -> list[dict[str, Any]]:
    curve = call.services.similarity
    least = curve.cosine(request.get("UserMatchThreshold", DEFAULT_SIMILARITY))
    near = call.services.gallery.search(
        call.services.model_version,
        album.id,
        template,
        limit=_NEAREST_FACES,
        min_similarity=least * _LEAST_AGREEMENT if least > 0 else -1.0,
    )
    labels = call.services.ledger.images.labels([match.face_id for match in near])
    user_ids = {label.user_id for label in labels.values() if label.user_id not in {None, but}}
    means = _means_of(call, album, sorted(filter(None, user_ids)))
    scored = {user_id: float(np.dot(mean, template)) for user_id, mean in means.items()}
    found = sorted((each for each in scored.items() if each[1] >= least), key=lambda each: (-each[1], each[0]))
    best = found[: request.get("MaxUsers", _DEFAULT_USERS)]
    call.reach.note("search", album.id, faces=1, users=len(best))
    return [
        {"Similarity": curve.percent(cosine), "User": {"UserId": user_id, "UserStatus": "ACTIVE"}}
        for user_id, cosine in best
    ]


def _means_of(call: Call, album: Album, user_ids: list[str]) -> dict[str, Template]:
    faces = call.services.ledger.users.faces_of(album.id, user_ids)
    wanted = [face_id for theirs in faces.values() for face_id in theirs]
    templates = call.services.gallery.templates(call.services.model_version, album.id, wanted)
    present = {user_id: [templates[each] for each in theirs if each in templates] for user_id, theirs in faces.items()}
    return {user_id: mean_template(theirs) for user_id, theirs in present.items() if theirs}
