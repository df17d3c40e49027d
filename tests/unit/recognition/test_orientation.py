"""Whatever way round a photo is stored, it is seen as the same photo turned pixel by pixel is."""

import cv2
import numpy as np
import pytest
from insightface.utils import face_align

from facefleet.recognition.alignment import align_face
from facefleet.recognition.detection import choose_canvas, fit_to_canvas
from facefleet.recognition.orientation import TURNS, turn_of

#: A face of 200 pixels, somewhat rotated.
LANDMARKS = (1.8 * face_align.arcface_dst @ [[0.94, 0.34], [-0.34, 0.94]] + (150, 90)).astype(np.float32)


def photo() -> np.ndarray:
    """Smooth as photos are, and different in each corner."""
    coarse = np.random.default_rng(1).integers(0, 256, (15, 20, 3), dtype=np.uint8)
    return cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC)


def stored(orientation: int) -> np.ndarray:
    return np.ascontiguousarray(TURNS[orientation].undo(photo()))


@pytest.mark.parametrize("orientation", TURNS)
def test_undone_a_view_is_the_memory_that_it_looks_at(orientation: int) -> None:
    memory = stored(orientation)
    upright = TURNS[orientation].apply(memory)
    np.testing.assert_array_equal(upright, photo())
    assert np.shares_memory(upright, memory)
    assert turn_of(upright).undo(upright).flags.c_contiguous


@pytest.mark.parametrize("orientation", TURNS)
def test_pixels_go_where_they_are_said_to(orientation: int) -> None:
    memory = stored(orientation)
    memory[5, 7] = 255, 0, 255
    upright = TURNS[orientation].apply(memory)
    x, y, _ = (TURNS[orientation].places(*upright.shape[:2]) @ (7, 5, 1)).astype(int)
    assert upright[y, x].tolist() == [255, 0, 255]


@pytest.mark.parametrize("orientation", TURNS)
def test_the_detector_is_shown_the_same(orientation: int) -> None:
    upright = TURNS[orientation].apply(stored(orientation))
    canvas = choose_canvas(480, 640, 192)
    seen, wanted = (fit_to_canvas(each, canvas, 192) for each in (upright, photo()))
    assert seen.scale == wanted.scale
    np.testing.assert_allclose(seen.pixels.astype(int), wanted.pixels, atol=1)


@pytest.mark.parametrize("orientation", TURNS)
def test_faces_are_aligned_the_same(orientation: int) -> None:
    upright = TURNS[orientation].apply(stored(orientation))
    seen, wanted = (align_face(each, LANDMARKS).astype(int) for each in (upright, photo()))
    assert np.abs(seen - wanted).max() <= 4
    assert np.abs(seen - wanted).mean() < 0.2


@pytest.mark.parametrize("orientation", TURNS)
def test_what_hangs_over_the_edge_is_black_on_the_same_side(orientation: int) -> None:
    upright = TURNS[orientation].apply(stored(orientation))
    outside = LANDMARKS - LANDMARKS.min(axis=0) + (-60, 10)
    seen, wanted = (align_face(each, outside).max(axis=2) == 0 for each in (upright, photo()))
    assert 0.1 < wanted.mean() < 0.9
    assert (seen != wanted).mean() < 0.01
