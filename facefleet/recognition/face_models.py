"""The two models of a pack, loaded, tested and ready for batches."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facefleet.errors import ModelPackMismatch, RecognizerUnavailable, RuntimeUnavailable
from facefleet.face_records import RgbImage
from facefleet.recognition.alignment import ALIGNED_SIZE_PX
from facefleet.recognition.detection import RawDetections, choose_canvas, split_outputs
from facefleet.recognition.embedding import embedder_normalization, normalize_embedding
from facefleet.recognition.graphs import (
    Graph,
    ModelSource,
    Normalization,
    prepare_graph,
    rewrite_matches,
    rules_version,
)
from facefleet.recognition.model_pack import ModelPack, check_unchanged
from facefleet.recognition.model_sessions import ModelSession
from facefleet.recognition.runtimes import Runtime

#: What SCRFD detectors are fed.
DETECTOR_NORMALIZATION = Normalization(127.5, 128.0)
#: (height, width) of the trial input: small, not square, and a multiple of every stride.
_TRIAL_SIZE_PX = (128, 160)
_EQUAL_SIMILARITY = 0.99999


class Stage(StrEnum):
    """Which of the two models an item is for."""

    DETECT = "detect"
    EMBED = "embed"


@dataclass(frozen=True, slots=True)
class FaceModels:
    """A detector and an embedder that passed their self-test; both may be called from several threads."""

    detector: ModelSession
    embedder: ModelSession
    #: Whether the detector takes several pictures at once.
    detects_batches: bool
    #: Length of an embedding.
    dimensions: int

    def detect(self, pictures: Sequence[RgbImage]) -> list[RawDetections]:
        """Run the detector on pictures of one shape, each (H, W, 3) uint8 RGB with sides that are multiples of 32."""
        if not self.detects_batches and len(pictures) > 1:
            return [raw for picture in pictures for raw in self.detect([picture])]
        return split_outputs(self.detector.run(np.stack(pictures)), len(pictures))

    def embed(self, faces: Sequence[RgbImage]) -> list[NDArray[np.float32]]:
        """Run the embedder on aligned faces, each (112, 112, 3) uint8 RGB; embeddings are not normalised."""
        return list(self.embedder.run(np.stack(faces))[0].reshape(len(faces), -1))


def load_models(pack: ModelPack, runtime: Runtime, detection_size_px: int) -> FaceModels:
    """Load both models of a pack and try them on made-up pictures.

    Args:
        pack: whose files.
        runtime: what runs them.
        detection_size_px: longer side of the detector's input. It is tried with the shape that most photos have, so
            that the first one finds it compiled.

    Raises:
        ModelPackMismatch: a file is no usable model.
        RuntimeUnavailable: the models fail their self-test on this runtime.
    """
    detector = _source_of(pack, pack.detector, DETECTOR_NORMALIZATION)
    embedder = _source_of(pack, pack.embedder, embedder_normalization(pack.embedder))
    detects_batches = runtime.batch_policy.max_size == 1 or _takes_batches(pack.detector)
    loaded = FaceModels(runtime.open_session(detector), runtime.open_session(embedder), detects_batches, dimensions=0)
    try:
        dimensions = _test_models(loaded, choose_canvas(3, 4, detection_size_px))
    except RecognizerUnavailable as error:
        raise RuntimeUnavailable(
            f"The model pack {pack.name} fails its self-test with {runtime.description}: {error}"
        ) from error
    return FaceModels(loaded.detector, loaded.embedder, detects_batches, dimensions)


def _source_of(pack: ModelPack, path: Path, normalization: Normalization) -> ModelSource:
    def load() -> bytes:
        check_unchanged(pack)  # a shape that nobody asked for before may be compiled hours after the start
        return _prepare(path, normalization).model

    key = repr((pack.own_version or pack.model_version, path.name, normalization, rules_version()))
    return ModelSource(key, load)


def _prepare(path: Path, normalization: Normalization) -> Graph:
    try:
        return prepare_graph(path, normalization)
    except Exception as error:  # protobuf and onnx raise what they like on a damaged file
        raise ModelPackMismatch(f"{path} is not a readable model.") from error


def _takes_batches(path: Path) -> bool:
    graph = _prepare(path, DETECTOR_NORMALIZATION)
    if not graph.batch_was_fixed or rewrite_matches(path, graph, DETECTOR_NORMALIZATION, _TRIAL_SIZE_PX):
        return True
    logging.getLogger(__name__).warning(
        "%s answers something else for a batch than for one picture; it gets one picture at a time, which a GPU is "
        "slower with",
        path,
    )
    return False


def _test_models(models: FaceModels, canvas_px: tuple[int, int]) -> int:
    """Run both models on noise; return the length of an embedding, or raise RecognizerUnavailable on nonsense."""
    with ThreadPoolExecutor(1) as other_thread:  # some runtimes compile half a second for each
        dimensions = other_thread.submit(_test_embedder, models)
        _test_detector(models, canvas_px)
        return dimensions.result()


def _test_detector(models: FaceModels, canvas_px: tuple[int, int]) -> None:
    raw = models.detect([np.random.default_rng(0).integers(0, 256, (*canvas_px, 3), dtype=np.uint8)])[0]
    if not all(np.isfinite(values).all() for group in (raw.scores, raw.boxes, raw.landmarks) for values in group):
        raise RecognizerUnavailable("the detector answers values that are not numbers.")


def _test_embedder(models: FaceModels) -> int:
    faces = np.random.default_rng(0).integers(0, 256, (2, ALIGNED_SIZE_PX, ALIGNED_SIZE_PX, 3), dtype=np.uint8)
    faces[1] //= 4
    one, other = (normalize_embedding(models.embed([face])[0]) for face in faces)
    if float(one @ other) > _EQUAL_SIMILARITY:
        raise RecognizerUnavailable("the embedder answers the same for different pictures.")
    return len(one)
