"""DetectFaces and CompareFaces: nothing is stored, nothing is looked up."""

from typing import Any

from api.rekognition.call import Call
from api.rekognition.errors import InvalidParameter
from api.rekognition.images import largest_first, look_at
from api.rekognition.quality_filter import reasons_against
from api.rekognition.views import show_box, show_confidence, show_detail
from facefleet.face_records import RecognizedFace, RecognizedPhoto

DEFAULT_SIMILARITY = 80.0


def detect_faces(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Find the hundred largest faces. Attributes that no model here sees are absent, whatever is asked for."""
    photo = look_at(call, request["Image"])
    return {"FaceDetails": [show_detail(face, photo) for face in largest_first(photo)]}


def compare_faces(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Compare the largest face of one image with every face of another."""
    source, target = look_at(call, request["SourceImage"]), look_at(call, request["TargetImage"])
    quality_filter = request.get("QualityFilter", "NONE")
    source_faces, target_faces = _usable(source, quality_filter), _usable(target, quality_filter)
    if not source_faces or not target_faces:
        raise InvalidParameter("Request has invalid parameters: there is no face in one of the images.")
    probe, curve = source_faces[0], call.services.similarity
    scored = [(curve.percent(float(probe.template @ face.template)), face) for face in target_faces]
    least = request.get("SimilarityThreshold", DEFAULT_SIMILARITY)
    matches = sorted((each for each in scored if each[0] >= least), key=lambda each: -each[0])
    return {
        "SourceImageFace": {
            "BoundingBox": show_box(probe.detection.box, source.width_px, source.height_px),
            "Confidence": show_confidence(probe.detection.detection_score),
        },
        "FaceMatches": [{"Similarity": percent, "Face": show_detail(face, target)} for percent, face in matches],
        "UnmatchedFaces": [show_detail(face, target) for percent, face in scored if percent < least],
    }


def _usable(photo: RecognizedPhoto, quality_filter: str) -> list[RecognizedFace]:
    return [face for face in largest_first(photo) if not reasons_against(face, quality_filter)]
