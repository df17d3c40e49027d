"""How usable a face is, from its aligned pixels and landmarks."""

import cmath
import math

import cv2

from facefleet.face_records import AlignedFace, Detection, Landmarks, Quality

#: A face of this many pixels fills the embedder's input.
_FULL_SIZE_PX = 112.0
#: Variance of the Laplacian at which sharpness counts one half.
_HALF_SHARPNESS = 50.0
#: Mean luma below or above which a face counts less, down to nothing at 0 and 255.
_DARK_LUMA, _BRIGHT_LUMA = 60.0, 200.0
#: How far the nose stands out, in eye distances and in heights from the eyes to the mouth.
_NOSE_DEPTH_EYES, _NOSE_DEPTH_HEIGHTS = 0.5, 0.43
#: Where the nose of a level face lies between the eyes (0) and the mouth (1).
_LEVEL_NOSE = 0.495


def measure_quality(detection: Detection, aligned: AlignedFace) -> Quality:
    """Measure a face.

    `overall` is the product of five parts: the detection score; size, linear up to 112 px; sharpness s as s / (s + 50);
    brightness, 1 between luma 60 and 200 and linear to 0 at black and white; and the cosines of yaw and pitch.
    Roll costs nothing: alignment undoes it.

    Args:
        detection: the face in pixels of the upright photo.
        aligned: (112, 112, 3) uint8 RGB.
    """
    luma = cv2.cvtColor(aligned, cv2.COLOR_RGB2GRAY)
    sharpness = float(cv2.meanStdDev(cv2.Laplacian(luma, cv2.CV_32F))[1][0, 0]) ** 2
    brightness = cv2.mean(luma)[0]
    yaw, pitch, roll = estimate_pose(detection.landmarks)
    size_px = min(detection.box.w, detection.box.h)
    parts = (
        detection.detection_score,
        size_px / _FULL_SIZE_PX,
        sharpness / (sharpness + _HALF_SHARPNESS),
        min(brightness / _DARK_LUMA, (255.0 - brightness) / (255.0 - _BRIGHT_LUMA)),
        math.cos(math.radians(yaw)) * math.cos(math.radians(pitch)),
    )
    overall = math.prod(min(max(part, 0.0), 1.0) for part in parts)
    return Quality(overall, size_px, sharpness, brightness, yaw, pitch, roll)


def estimate_pose(landmarks: Landmarks) -> tuple[float, float, float]:
    """Estimate (yaw, pitch, roll) in degrees from five landmarks; a rough figure, meant for sorting.

    Roll is the slope of the line through the eyes, clockwise positive. With roll undone, the nose of a turned head
    leaves the midline by (its depth) x tan(yaw) and its place between eyes and mouth by (its depth) x tan(pitch).

    Args:
        landmarks: (5, 2) float32, pixels: left eye, right eye, nose, left and right mouth corner.
    """
    left_eye, right_eye, nose, left_mouth, right_mouth = (complex(x, y) for x, y in landmarks.tolist())
    across = right_eye - left_eye
    eye_distance = abs(across)
    if not eye_distance > 0.0:
        return 0.0, 0.0, 0.0
    upright = across.conjugate() / eye_distance  # what is multiplied with it has its roll undone
    eyes, mouth = (left_eye + right_eye) / 2, (left_mouth + right_mouth) / 2
    height = ((mouth - eyes) * upright).imag
    nose_place = ((nose - eyes) * upright).imag / height if height > 0.0 else _LEVEL_NOSE
    midline = eyes + (mouth - eyes) * nose_place
    yaw = math.atan(((nose - midline) * upright).real / (_NOSE_DEPTH_EYES * eye_distance))
    pitch = math.atan((nose_place - _LEVEL_NOSE) / _NOSE_DEPTH_HEIGHTS)
    return math.degrees(yaw), math.degrees(pitch), math.degrees(cmath.phase(across))
