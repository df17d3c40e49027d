"""SearchFaces and SearchFacesByImage: the faces of a collection that look like one face."""

from typing import Any
from uuid import UUID

from api.rekognition.call import Call
from api.rekognition.errors import InvalidParameter
from api.rekognition.images import largest_first, look_at
from api.rekognition.looking import DEFAULT_SIMILARITY
from api.rekognition.quality_filter import reasons_against
from api.rekognition.views import show_box, show_confidence, show_face
from facefleet.face_records import RecognizedFace, RecognizedPhoto, Template
from facefleet.records import Album, Candidate
from facefleet.search import AlbumSearch, find_candidates


def search_faces_by_image(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Search with the largest face of an image."""
    album = call.find_album(request["CollectionId"])
    with call.services.metrics.search_duration_s.time():
        photo = look_at(call, request["Image"], selfie=True)
        face = find_searched_face(photo, request)
        if face is None:
            raise InvalidParameter("Request has invalid parameters: there is no face in the image.")
        matches = _search(call, album, face.template, request)
    return {
        "SearchedFaceBoundingBox": show_box(face.detection.box, photo.width_px, photo.height_px),
        "SearchedFaceConfidence": show_confidence(face.detection.detection_score),
        "FaceMatches": matches,
        "FaceModelVersion": call.face_model_version,
    }


def search_faces(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Search with a face of the collection, which is not a match of its own."""
    album = call.find_album(request["CollectionId"])
    face_id = UUID(request["FaceId"])
    template = template_of(call, album, face_id)
    return {
        "SearchedFaceId": str(face_id),
        "FaceMatches": _search(call, album, template, request, but=face_id),
        "FaceModelVersion": call.face_model_version,
    }


def find_searched_face(photo: RecognizedPhoto, request: dict[str, Any]) -> RecognizedFace | None:
    """Choose the largest face that passes the request's quality filter; none where there is none."""
    quality_filter = request.get("QualityFilter", "NONE")
    return next((face for face in largest_first(photo) if not reasons_against(face, quality_filter)), None)


def template_of(call: Call, album: Album, face_id: UUID) -> Template:
    """Read the template of a face of the album.

    Raises:
        InvalidParameter: the album has no such face.
    """
    known = call.services.ledger.faces.get_many([face_id]).get(face_id)
    templates = call.services.gallery.templates(call.services.model_version, album.id, [face_id])
    if known is None or known.album_id != album.id or face_id not in templates:
        raise InvalidParameter(f"faceId {face_id} was not found in the collection.")
    return templates[face_id]


def _search(
    call: Call, album: Album, template: Template, request: dict[str, Any], but: UUID | None = None
) -> list[dict[str, Any]]:
    services, curve = call.services, call.services.similarity
    limit = request.get("MaxFaces", services.settings.search_limit)
    found = find_candidates(
        AlbumSearch(call.recognizer, services.gallery, services.ledger),
        album.id,
        template,
        limit + (but is not None),
        curve.cosine(request.get("FaceMatchThreshold", DEFAULT_SIMILARITY)),
    )
    shown: list[Candidate] = [each for each in found if each.face.id != but][:limit]
    call.reach.note("search", album.id, faces=1, candidates=len(shown))
    version = call.face_model_version
    return [{"Similarity": curve.percent(each.similarity), "Face": show_face(each.face, version)} for each in shown]
