"""Quality: each part moves the way it is documented to."""

import numpy as np
import pytest

from facefleet.face_records import Box, Detection
from facefleet.recognition.quality import estimate_pose, measure_quality

FRONTAL = np.array([[38.3, 51.7], [73.5, 51.5], [56.0, 71.7], [41.5, 92.4], [70.7, 92.2]], np.float32)
NOSE = 2


def face(size_px: float = 112, score: float = 0.9, landmarks: np.ndarray = FRONTAL) -> Detection:
    return Detection(Box(0, 0, size_px, size_px * 1.3), landmarks, score)


def texture(low: int = 90, high: int = 170) -> np.ndarray:
    return np.random.default_rng(0).integers(low, high, (112, 112, 3), dtype=np.uint8)


def test_a_level_face_has_no_angles() -> None:
    assert estimate_pose(FRONTAL) == pytest.approx((0, 0, 0), abs=3)


def test_yaw_follows_the_nose_to_the_right_and_pitch_follows_it_down() -> None:
    right, down = FRONTAL.copy(), FRONTAL.copy()
    right[NOSE, 0] += 10
    down[NOSE, 1] += 10
    assert 20 < estimate_pose(right)[0] < 40
    assert 20 < estimate_pose(down)[1] < 40


def test_roll_is_clockwise_and_leaves_yaw_and_pitch_alone() -> None:
    angle = np.radians(30)
    turned = (FRONTAL @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])).astype(np.float32)
    yaw, pitch, roll = estimate_pose(turned)
    assert roll == pytest.approx(30, abs=1)
    assert (yaw, pitch) == pytest.approx(estimate_pose(FRONTAL)[:2], abs=0.5)


@pytest.mark.parametrize("landmarks", [np.zeros((5, 2)), np.tile((3.0, 4.0), (5, 1))])
def test_coinciding_landmarks_have_a_pose_too(landmarks: np.ndarray) -> None:
    assert estimate_pose(landmarks.astype(np.float32)) == (0, 0, 0)


def test_small_blurred_dark_and_doubtful_faces_count_less() -> None:
    good = measure_quality(face(), texture())
    assert 0.5 < good.overall <= 0.9
    assert measure_quality(face(size_px=40), texture()).overall < good.overall / 2
    assert measure_quality(face(score=0.5), texture()).overall < good.overall
    assert measure_quality(face(), np.full((112, 112, 3), 128, np.uint8)).overall == 0
    assert measure_quality(face(), texture(0, 20)).overall < good.overall / 2
    assert measure_quality(face(size_px=4000), texture()).overall == pytest.approx(good.overall)
