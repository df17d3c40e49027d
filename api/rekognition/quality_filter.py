"""Which faces are too poor to be used, and why, in Rekognition's words. AWS keeps its bars secret; these are ours."""

from dataclasses import dataclass

from api.rekognition.views import show_brightness, show_confidence, show_sharpness
from facefleet.face_records import RecognizedFace


@dataclass(frozen=True, slots=True)
class QualityBar:
    """What a face has to have at least."""

    #: Percentages, as the answers show them.
    confidence: float
    sharpness: float
    brightness: float
    #: Shorter side of the box, in pixels of the photo.
    size_px: float
    #: Largest turn of the head to a side, and up or down.
    pose_deg: float
    #: 0-1, see facefleet.recognition.quality.
    overall: float


_LOW = QualityBar(confidence=50.0, sharpness=5.0, brightness=8.0, size_px=20.0, pose_deg=70.0, overall=0.01)
_MEDIUM = QualityBar(confidence=60.0, sharpness=20.0, brightness=15.0, size_px=32.0, pose_deg=55.0, overall=0.05)
_HIGH = QualityBar(confidence=70.0, sharpness=50.0, brightness=20.0, size_px=56.0, pose_deg=40.0, overall=0.2)
_BARS = {"AUTO": _LOW, "LOW": _LOW, "MEDIUM": _MEDIUM, "HIGH": _HIGH}


def reasons_against(face: RecognizedFace, quality_filter: str) -> list[str]:
    """List what keeps a face below the bar; nothing for a face that passes, and for every one with NONE."""
    bar = _BARS.get(quality_filter)
    if bar is None:
        return []
    quality = face.quality
    failures = {
        "EXTREME_POSE": max(abs(quality.yaw_deg), abs(quality.pitch_deg)) > bar.pose_deg,
        "LOW_BRIGHTNESS": show_brightness(quality) < bar.brightness,
        "LOW_SHARPNESS": show_sharpness(quality) < bar.sharpness,
        "LOW_CONFIDENCE": show_confidence(face.detection.detection_score) < bar.confidence,
        "SMALL_BOUNDING_BOX": quality.size_px < bar.size_px,
    }
    reasons = [reason for reason, fails in failures.items() if fails]
    return reasons or (["LOW_FACE_QUALITY"] if quality.overall < bar.overall else [])
