"""Detection without a model: canvases, decoding of made-up outputs, suppression, clipping."""

import numpy as np
import pytest

from facefleet.errors import RecognizerUnavailable
from facefleet.face_records import Box, Detection
from facefleet.recognition.detection import (
    choose_canvas,
    clip_detection,
    decode_detections,
    fit_to_canvas,
    split_outputs,
    suppress_overlaps,
    usual_canvases,
)

CANVAS = (64, 96)


@pytest.mark.parametrize(
    ("photo", "canvas"),
    [
        ((3000, 4000), (544, 640)),
        ((4000, 3000), (640, 544)),
        ((1080, 1920), (448, 640)),
        ((500, 500), (640, 640)),
        ((10, 20_000), (384, 640)),
        ((1, 1), (640, 640)),
    ],
)
def test_canvases_are_few_and_fit(photo: tuple[int, int], canvas: tuple[int, int]) -> None:
    assert choose_canvas(*photo, 640) == canvas


def test_canvases_are_ten_at_most() -> None:
    chosen = {choose_canvas(height, width, 640) for height in range(1, 1500, 7) for width in range(1, 1500, 7)}
    assert len(chosen) <= 10
    assert set(usual_canvases(640)) <= chosen


def test_a_photo_lies_on_the_top_left_of_a_black_canvas() -> None:
    fitted = fit_to_canvas(np.full((40, 80, 3), (200, 100, 50), np.uint8), CANVAS, 96)
    assert fitted.pixels.shape == (*CANVAS, 3)
    assert fitted.pixels[:48, :96].mean(axis=(0, 1)).tolist() == [200, 100, 50]
    assert not fitted.pixels[48:].any()
    assert fitted.scale == pytest.approx((1.2, 1.2))


def test_a_sliver_keeps_one_pixel() -> None:
    assert fit_to_canvas(np.ones((1, 5000, 3), np.uint8), (384, 640), 640).pixels[:1].any()


def made_up_outputs(hits: dict[tuple[int, int, int], float], batch: int = 1, hit_in: int = 0) -> list[np.ndarray]:
    """Nine outputs in a scrambled order; `hits` maps (stride, row, column) to a score."""
    outputs = []
    for stride in (32, 8, 16):
        rows, columns = CANVAS[0] // stride, CANVAS[1] // stride
        scores = np.zeros((batch, rows, columns, 2, 1), np.float32)
        for (hit_stride, row, column), score in hits.items():
            if hit_stride == stride:
                scores[hit_in, row, column, 1] = score
        anchors = rows * columns * 2
        outputs.append(np.full((batch, anchors, 4), 1.5, np.float32).reshape(-1, 4))
        outputs.append(scores.reshape(-1, 1))
        outputs.append(np.full((batch, anchors, 10), 0.25, np.float32).reshape(-1, 10))
    return outputs


def test_outputs_are_told_apart_and_decoded_in_pixels_of_the_image() -> None:
    fitted = fit_to_canvas(np.zeros((128, 192, 3), np.uint8), CANVAS, 96)
    raw = split_outputs(made_up_outputs({(16, 2, 3): 0.9, (8, 0, 1): 0.6, (32, 0, 0): 0.4}), 1)[0]
    best, second = decode_detections(raw, fitted, threshold=0.5)
    assert best.detection_score == pytest.approx(0.9)
    assert best.box == Box(48.0, 16.0, 96.0, 96.0)
    assert np.allclose(best.landmarks, (104, 72))
    assert second.detection_score == pytest.approx(0.6)


def test_a_batch_is_split_by_picture() -> None:
    fitted = fit_to_canvas(np.zeros((64, 96, 3), np.uint8), CANVAS, 96)
    first, second = split_outputs(made_up_outputs({(8, 1, 1): 0.8}, batch=2, hit_in=1), 2)
    assert decode_detections(first, fitted, 0.5) == []
    assert len(decode_detections(second, fitted, 0.5)) == 1


def test_scores_that_are_no_numbers_are_the_models_fault() -> None:
    fitted = fit_to_canvas(np.zeros((64, 96, 3), np.uint8), CANVAS, 96)
    raw = split_outputs(made_up_outputs({(8, 1, 1): np.nan}), 1)[0]
    with pytest.raises(RecognizerUnavailable, match="not numbers"):
        decode_detections(raw, fitted, 0.5)


def test_other_outputs_are_refused() -> None:
    with pytest.raises(RecognizerUnavailable, match="three strides"):
        split_outputs(made_up_outputs({})[:6], 1)


def test_only_the_best_of_overlapping_boxes_stays() -> None:
    boxes = np.array([[0, 0, 99, 99], [10, 0, 109, 99], [60, 0, 159, 99], [500, 0, 599, 99]], np.float32)
    assert suppress_overlaps(boxes) == [0, 2, 3]
    assert suppress_overlaps(boxes[:0]) == []
    assert suppress_overlaps(np.repeat(boxes[:1], 5, axis=0)) == [0]


def test_faces_are_clipped_to_the_photo() -> None:
    landmarks = np.array([[-5, 10], [50, 10], [20, 20], [10, 200], [150, 40]], np.float32)
    clipped = clip_detection(Detection(Box(-10, 20, 60, 200), landmarks, 0.9), 100, 120)
    assert clipped.box == Box(0.0, 20.0, 50.0, 100.0)
    assert clipped.landmarks.min() == 0
    assert clipped.landmarks.max(axis=0).tolist() == [100, 120]
    outside = clip_detection(Detection(Box(300, 300, 50, 50), landmarks, 0.9), 100, 120)
    assert outside.box == Box(100.0, 120.0, 0.0, 0.0)
