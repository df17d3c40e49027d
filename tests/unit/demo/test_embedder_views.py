"""What the embedder is shown in training, and what its straightener is told."""

import numpy as np
import pytest

from demo.training.alignment import CANONICAL_LANDMARKS, FACE_SIDE_PX, fit_similarity
from demo.training.embedder_data import SMALL_PX, FacePicture, _draw_person
from demo.training.embedder_views import align_as_detected
from demo.training.landmark_errors import LandmarkErrors

PERSON = 1 << 41


def test_similarity_is_found_again() -> None:
    matrix = np.array([[0.6, -0.8, 5.0], [0.8, 0.6, -7.0]])
    moved = CANONICAL_LANDMARKS @ matrix[:, :2].T + matrix[:, 2]
    assert fit_similarity(CANONICAL_LANDMARKS, moved) == pytest.approx(matrix)


def test_faces_are_drawn_twice_small_and_larger_and_again_the_same() -> None:
    pictures, again = _draw_person(PERSON, shots=3), _draw_person(PERSON, shots=3)
    assert len(pictures) == 6
    assert all(np.array_equal(one.image, other.image) for one, other in zip(pictures, again, strict=True))
    for picture in pictures:
        height, width, _ = picture.image.shape
        assert picture.landmarks[0, 0] < picture.landmarks[1, 0]
        assert (picture.landmarks > 0).all()
        assert (picture.landmarks < [width, height]).all()
    # A picture is 1.9 times the face, and loses less than a pixel.
    assert all(1.9 * SMALL_PX[0] - 2 < picture.image.shape[0] < 1.9 * SMALL_PX[1] + 2 for picture in pictures[::2])


@pytest.mark.parametrize("point", range(5))
def test_correction_says_where_a_landmark_went(point: int) -> None:
    margin_px = 16
    image = np.zeros((FACE_SIDE_PX + 2 * margin_px, FACE_SIDE_PX + 2 * margin_px, 3), np.uint8)
    x, y = np.round(CANONICAL_LANDMARKS[point] + margin_px).astype(int)
    image[y - 1 : y + 2, x - 1 : x + 2] = 255
    picture = FacePicture(image, (CANONICAL_LANDMARKS + margin_px).astype(np.float32))
    # All points too far to the right and down, and turned.
    errors = np.array([[6.0, 1.0], [6.0, 7.0], [4.0, 4.0], [1.0, 1.0], [1.0, 7.0]])
    views = align_as_detected([picture], LandmarkErrors(errors[None], np.ones(1)), _rng())
    rows, columns = np.nonzero(views.faces[0, ..., 0] > 100)
    a, b, shift_x, shift_y = views.corrections[0]
    assert np.hypot(shift_x, shift_y) > 0.03
    middle, half = (FACE_SIDE_PX - 1) / 2, FACE_SIDE_PX / 2
    u, v = (np.array([x, y]) - margin_px - middle) / half
    expected = np.array([(1 + a) * u - b * v + shift_x, b * u + (1 + a) * v + shift_y]) * half + middle
    assert np.array([columns.mean(), rows.mean()]) == pytest.approx(expected, abs=0.8)


def test_errors_are_those_of_faces_of_like_size() -> None:
    enlargement = np.repeat([1.0, 8.0], 200)
    errors = LandmarkErrors(np.broadcast_to(enlargement[:, None, None], (400, 5, 2)), enlargement)
    rng = _rng()
    small = [np.abs(errors.disturb(np.zeros((5, 2)), 8.1, rng)).mean() for _ in range(20)]
    large = [np.abs(errors.disturb(np.zeros((5, 2)), 0.9, rng)).mean() for _ in range(20)]
    assert min(small) > 5
    assert max(large) < 2


def _rng() -> np.random.Generator:
    return np.random.default_rng(2)
