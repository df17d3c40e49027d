"""Alignment agrees with scikit-image's Umeyama and with InsightFace's crop."""

import numpy as np
import pytest
from insightface.utils import face_align
from skimage.transform import SimilarityTransform

from facefleet.errors import DegenerateLandmarks
from facefleet.recognition.alignment import align_face, estimate_alignment, lacks_pixels

TEMPLATE = face_align.arcface_dst


def turned(angle_deg: float, scale: float, shift: tuple[float, float], noise_px: float = 0.0) -> np.ndarray:
    angle = np.radians(angle_deg)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    noise = np.random.default_rng(3).normal(0, noise_px, TEMPLATE.shape) if noise_px else 0
    return (TEMPLATE @ turn.T + shift + noise).astype(np.float32)


@pytest.mark.parametrize("angle_deg", [0, 30, -100, 179])
@pytest.mark.parametrize("scale", [0.3, 1, 5])
def test_the_transform_is_umeyamas(angle_deg: float, scale: float) -> None:
    landmarks = turned(angle_deg, scale, (300, 40), noise_px=3 * scale)
    wanted = SimilarityTransform.from_estimate(landmarks, TEMPLATE).params[:2]
    assert np.allclose(estimate_alignment(landmarks), wanted, atol=1e-4)


@pytest.mark.parametrize(("scale", "lacks"), [(0.3, True), (0.95, True), (1.05, False), (5, False)])
def test_a_face_that_has_to_be_blown_up_lacks_pixels(scale: float, lacks: bool) -> None:
    assert lacks_pixels(turned(-100, scale, (300, 40))) == lacks


def test_a_face_without_a_pose_lacks_no_pixels() -> None:
    assert not lacks_pixels(np.full((5, 2), 7.0, np.float32))


def test_the_aligned_face_is_insightfaces() -> None:
    image = np.random.default_rng(1).integers(0, 256, (400, 500, 3), dtype=np.uint8)
    landmarks = turned(20, 1.7, (150, 60), noise_px=2)
    matrix = SimilarityTransform.from_estimate(landmarks, TEMPLATE).params[:2]
    wanted = face_align.cv2.warpAffine(image, matrix, (112, 112), borderValue=0.0)
    aligned = align_face(image, landmarks)
    assert aligned.shape == (112, 112, 3)
    assert np.abs(aligned.astype(int) - wanted).mean() < 0.5


@pytest.mark.parametrize("landmarks", [np.full((5, 2), 7.0), np.full((5, 2), np.nan), np.full((5, 2), np.inf)])
def test_landmarks_that_fix_nothing_are_refused(landmarks: np.ndarray) -> None:
    with pytest.raises(DegenerateLandmarks):
        estimate_alignment(landmarks.astype(np.float32))
