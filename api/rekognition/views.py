"""Faces in Rekognition's terms: ratios of the image, percentages, and only what a model here has seen."""

from typing import Any

from facefleet.face_records import Box, Landmarks, Quality, RecognizedFace, RecognizedPhoto
from facefleet.records import FoundFace

_LANDMARK_TYPES = ("eyeLeft", "eyeRight", "nose", "mouthLeft", "mouthRight")
#: Variance of the Laplacian at which sharpness is 50.
_HALF_SHARPNESS = 50.0


def show_box(box: Box, width_px: int, height_px: int) -> dict[str, float]:
    """Show a box as ratios of the image."""
    return {
        "Left": box.x / width_px,
        "Top": box.y / height_px,
        "Width": box.w / width_px,
        "Height": box.h / height_px,
    }


def show_confidence(detection_score: float) -> float:
    """Show a detection score of 0-1 as a percentage."""
    return min(max(100.0 * detection_score, 0.0), 100.0)


def show_brightness(quality: Quality) -> float:
    """Show mean luma as 0-100."""
    return quality.brightness / 2.55


def show_sharpness(quality: Quality) -> float:
    """Show a variance without upper bound as 0-100."""
    return 100.0 * quality.sharpness / (quality.sharpness + _HALF_SHARPNESS)


def show_detail(face: RecognizedFace, photo: RecognizedPhoto) -> dict[str, Any]:
    """Show a face as AWS's `FaceDetail`, or `ComparedFace`, with its default attributes."""
    detection, quality = face.detection, face.quality
    return {
        "BoundingBox": show_box(detection.box, photo.width_px, photo.height_px),
        "Confidence": show_confidence(detection.detection_score),
        "Landmarks": _show_landmarks(detection.landmarks, photo.width_px, photo.height_px),
        "Pose": {"Roll": quality.roll_deg, "Yaw": quality.yaw_deg, "Pitch": quality.pitch_deg},
        "Quality": {"Brightness": show_brightness(quality), "Sharpness": show_sharpness(quality)},
    }


def show_face(face: FoundFace, model_version: str) -> dict[str, Any]:
    """Show an indexed face as AWS's `Face`.

    Args:
        face: as the ledger found it.
        model_version: in digits and dots.
    """
    return {
        "FaceId": str(face.id),
        "BoundingBox": show_box(face.box, face.photo_width_px, face.photo_height_px),
        "ImageId": str(face.photo_id),
        "ExternalImageId": face.external_image_id,
        "Confidence": show_confidence(face.detection_score),
        "IndexFacesModelVersion": model_version,
        "UserId": face.user_id,
    }


def _show_landmarks(landmarks: Landmarks, width_px: int, height_px: int) -> list[dict[str, Any]]:
    return [
        {"Type": kind, "X": float(x) / width_px, "Y": float(y) / height_px}
        for kind, (x, y) in zip(_LANDMARK_TYPES, landmarks, strict=True)
    ]
