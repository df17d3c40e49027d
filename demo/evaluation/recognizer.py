"""What is measured: anything that finds faces in an image. InsightFace and Facefleet with a pack are such things."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime
from insightface.app import FaceAnalysis

from demo.brush import RgbImage
from demo.portrait import Box, Landmarks
from facefleet.face_records import RecognizedFace
from facefleet.recognition.starting import load_recognizer
from facefleet.settings import Settings

#: FaceAnalysis scales every photo into a square of this side.
DETECTION_SIDE_PX = 640


@dataclass(frozen=True)
class DetectedFace:
    """One face that a recognizer found."""

    #: Left, top, width, height in pixels of the image.
    box: Box
    #: (5, 2) float32, pixels.
    landmarks: Landmarks
    detection_score: float
    #: (D,) float32, any length.
    embedding: npt.NDArray[np.float32]


#: From (H, W, 3) uint8 RGB to its faces.
Recognizer = Callable[[RgbImage], list[DetectedFace]]


def insightface_recognizer(pack: Path, detection_threshold: float, threads: int = 1) -> Recognizer:
    """`insightface.app.FaceAnalysis`, unchanged, with the model pack of a directory."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    analysis = FaceAnalysis(
        name=str(pack),
        allowed_modules=["detection", "recognition"],
        providers=["CPUExecutionProvider"],
        sess_options=options,
    )
    analysis.prepare(ctx_id=-1, det_thresh=detection_threshold, det_size=(DETECTION_SIDE_PX, DETECTION_SIDE_PX))

    def recognize(image: RgbImage) -> list[DetectedFace]:
        return [_detected(face) for face in analysis.get(np.ascontiguousarray(image[..., ::-1]))]

    return recognize


@contextmanager
def facefleet_recognizer(pack: Path, threads: int = 1) -> Iterator[Recognizer]:
    """Facefleet's own recognizer as its workers run it, with the pack's own threshold; photos go in as PNG bytes."""
    settings = Settings(model_pack=str(pack), device="cpu", cpu_threads=threads)
    with closing(load_recognizer(settings)) as recognizer:

        def recognize(image: RgbImage) -> list[DetectedFace]:
            _, encoded = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
            return [_recognized(face) for face in recognizer.recognize(encoded.tobytes()).faces]

        yield recognize


def _recognized(face: RecognizedFace) -> DetectedFace:
    box = face.detection.box
    return DetectedFace(
        box=(box.x, box.y, box.w, box.h),
        landmarks=np.asarray(face.detection.landmarks, np.float32),
        detection_score=face.detection.detection_score,
        embedding=np.asarray(face.template, np.float32),
    )


def _detected(face: Any) -> DetectedFace:  # noqa: ANN401 - InsightFace's Face is an untyped dict
    left, top, right, bottom = (float(edge) for edge in face.bbox)
    return DetectedFace(
        box=(left, top, right - left, bottom - top),
        landmarks=np.asarray(face.kps, np.float32),
        detection_score=float(face.det_score),
        embedding=np.asarray(face.embedding, np.float32),
    )
