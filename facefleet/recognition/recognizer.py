"""The recognizer: photo bytes in, faces with templates and quality out. Workers and searches share its code."""

import contextlib
import warnings
from collections.abc import Hashable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from facefleet.errors import DegenerateLandmarks, RecognizerUnavailable
from facefleet.face_records import AlignedFace, Detection, RecognizedFace, RecognizedPhoto, RgbImage
from facefleet.metrics import Metrics
from facefleet.recognition.alignment import align_face, lacks_pixels
from facefleet.recognition.batcher import Batcher
from facefleet.recognition.decoding import DecodedPhoto, kept_side_px
from facefleet.recognition.detection import (
    RawDetections,
    choose_canvas,
    clip_detection,
    decode_detections,
    fit_to_canvas,
    halve_side,
    scale_detection,
    selfie_side,
    usual_canvases,
)
from facefleet.recognition.embedding import normalize_embedding
from facefleet.recognition.face_models import FaceModels, Stage
from facefleet.recognition.model_pack import ModelPack
from facefleet.recognition.output_watch import OutputWatch
from facefleet.recognition.quality import measure_quality
from facefleet.recognition.runtimes import Runtime
from facefleet.recognition.sandbox import PhotoDecoder
from facefleet.settings import Settings

_ModelOutput: TypeAlias = RawDetections | NDArray[np.float32]

#: A selfie is reduced while its longer side keeps this: a face that takes a quarter of it still has all the pixels that
#: the embedder looks at.
_SELFIE_SIDE_PX = 400
#: A single face whose shorter side is at least this part of the image's longer side makes it a selfie.
_SELFIE_SHARE = 1 / 8


def calm_libraries() -> None:
    """Have OpenCV start no threads, which would fight with the recognizer's for the same cores, and Pillow say nothing.

    Damaged photos are normal input and end as a sentence.
    """
    cv2.setNumThreads(1)
    warnings.filterwarnings("ignore", module=r"PIL\.")


class Recognizer:
    """Thread-safe. Pixels are worked on in the caller's thread, models run in the batcher's, decoding in processes."""

    def __init__(
        self,
        settings: Settings,
        pack: ModelPack,
        runtime: Runtime,
        models: FaceModels,
        *,
        decoder: PhotoDecoder,
        metrics: Metrics | None = None,
    ) -> None:
        self.pack = pack
        #: What runs the models, for a person.
        self.runtime = runtime.description
        self.description = f"{pack.title} with {runtime.description}"
        self._settings = settings
        #: Pictures of photos are decoded by the same processes.
        self.decoder = decoder
        self._threshold = settings.detection_threshold or pack.detection_threshold
        self._kept_side_px = kept_side_px(settings.min_face_px)
        chosen = settings.search_min_similarity
        #: Smallest cosine similarity of a candidate when a caller names none.
        self.similarity_threshold = pack.similarity_threshold if chosen is None else chosen
        self._models = models
        self._metrics = metrics or Metrics()
        self._metrics.model.info({"version": pack.model_version, "pack": pack.name, "runtime": runtime.description})
        self._watch = OutputWatch()
        self._batcher: Batcher[RgbImage, _ModelOutput] = Batcher(self._run_batch, runtime.batch_policy)

    @property
    def model_version(self) -> str:
        """16 hexadecimal digits; templates of different versions are never compared."""
        return self.pack.model_version

    @property
    def dimensions(self) -> int:
        """Length of a template."""
        return self._models.dimensions

    @property
    def healthy(self) -> bool:
        """Whether the models answered sense so far; never true again once it is false."""
        return self._watch.failure is None

    def recognize(self, photo_bytes: bytes, *, urgent: bool = False, selfie: bool = False) -> RecognizedPhoto:
        """Find every face of a photo.

        Args:
            photo_bytes: a JPEG, PNG, WebP, AVIF, HEIC, GIF or BMP file.
            urgent: a search: goes before bulk work, and is refused rather than kept waiting when too many wait.
            selfie: probably shows one large face, which a smaller input of the detector finds for a fifth of the work,
                in a JPEG that is decoded no further than that takes; when it shows anything else it is looked at as
                every photo is.

        Returns:
            Faces by detection score, best first, boxes and landmarks in pixels of the upright photo, clipped to it.

        Raises:
            PhotoTooLarge: more bytes or pixels than the limits allow.
            PhotoUndecodable: not a photo, a damaged one, or one that no decoder survives.
            Overloaded: urgent, and too many wait; or the machine has no room for another process or the pixels.
            RecognizerUnavailable: the models answer nonsense, or the recognizer is closed.
        """
        failure = self._watch.failure
        if failure:
            raise RecognizerUnavailable(failure)
        if selfie:
            with self._decoded(photo_bytes, _SELFIE_SIDE_PX, urgent=urgent) as reduced:
                found = self._detect_selfie(reduced.image, urgent=urgent)
                if found or reduced.scale == 1:
                    return self._recognize_faces(reduced, found, photo_bytes, urgent=urgent)
        with self._decoded(photo_bytes, self._kept_side_px, urgent=urgent) as decoded:
            return self._recognize_faces(decoded, [], photo_bytes, urgent=urgent)

    def warm_up(self) -> None:
        """Run the detector once on the shapes of most photos: some runtimes compile it for each, which takes a second.

        Returns when it is done or the recognizer is closed; meanwhile others are served. Other shapes are compiled when
        they come: all of them ahead would keep a core busy for 20 seconds.
        """
        with contextlib.suppress(RecognizerUnavailable):
            size = self._settings.detection_size_px
            for canvas in usual_canvases(size) + usual_canvases(selfie_side(size)):
                blank = np.zeros((*canvas, 3), np.uint8)
                self._batcher.submit((Stage.DETECT, canvas), blank, urgent=False).result()

    def close(self) -> None:
        """Finish what waits and stop; the recognizer is unusable afterwards."""
        self._batcher.close()
        self.decoder.close()

    @contextmanager
    def _decoded(self, photo_bytes: bytes, min_side_px: int, *, urgent: bool) -> Iterator[DecodedPhoto]:
        """Decode a photo; what fails while it is looked at are the models."""
        with ExitStack() as image_in_use:
            with self._metrics.stage_duration_s.labels("decode").time():
                opened = self.decoder.decode(photo_bytes, min_side_px=min_side_px, urgent=urgent)
                decoded = image_in_use.enter_context(opened)
            try:
                yield decoded
            except RecognizerUnavailable as error:
                self._watch.report_failure(str(error))
                raise

    def _recognize_faces(
        self, decoded: DecodedPhoto, found: Sequence[Detection], photo_bytes: bytes, *, urgent: bool
    ) -> RecognizedPhoto:
        """Recognize the faces that were found, or else find them first."""
        stage_s = self._metrics.stage_duration_s
        if not found:
            with stage_s.labels("detect").time():
                found = self._detect(decoded.image, urgent=urgent)
        detections = self._select(found, decoded)
        with stage_s.labels("align").time():
            pairs = self._align(decoded, detections, photo_bytes, urgent=urgent)
        with stage_s.labels("embed").time():
            faces = self._embed(pairs, decoded, urgent=urgent)
        return RecognizedPhoto(decoded.width_px, decoded.height_px, faces, decoded.taken_at)

    def _detect_selfie(self, image: RgbImage, *, urgent: bool) -> list[Detection]:
        """Detect in a small input; nothing unless that shows one large face and no other."""
        with self._metrics.stage_duration_s.labels("detect").time():
            found = self._detect_at(selfie_side(self._settings.detection_size_px), image, urgent=urgent)
        is_selfie = len(found) == 1 and min(found[0].box.w, found[0].box.h) >= _SELFIE_SHARE * max(image.shape[:2])
        return found if is_selfie else []

    def _detect(self, image: RgbImage, *, urgent: bool) -> list[Detection]:
        """Detect in pixels of `image`; smaller when nothing is found, as SCRFD misses faces that fill its input."""
        size = self._settings.detection_size_px
        for longer_side_px in (size, halve_side(size), halve_side(halve_side(size))):
            if found := self._detect_at(longer_side_px, image, urgent=urgent):
                return found
        return []

    def _detect_at(self, longer_side_px: int, image: RgbImage, *, urgent: bool) -> list[Detection]:
        canvas = choose_canvas(image.shape[0], image.shape[1], longer_side_px)
        fitted = fit_to_canvas(image, canvas, longer_side_px)
        raw = self._batcher.submit((Stage.DETECT, canvas), fitted.pixels, urgent=urgent).result()
        return decode_detections(cast("RawDetections", raw), fitted, self._threshold)

    def _select(self, detections: Sequence[Detection], decoded: DecodedPhoto) -> list[Detection]:
        """Turn detections into pixels of the photo and keep the best of those that are large enough."""
        height, width = decoded.image.shape[:2]
        in_photo = (scale_detection(face, decoded.width_px / width, decoded.height_px / height) for face in detections)
        wanted = [face for face in in_photo if min(face.box.w, face.box.h) >= self._settings.min_face_px]
        return wanted[: self._settings.max_faces_per_photo]

    def _align(
        self, decoded: DecodedPhoto, detections: Sequence[Detection], photo_bytes: bytes, *, urgent: bool
    ) -> list[tuple[Detection, AlignedFace]]:
        """Align every face; from the full photo when a face in a reduced one would have to be blown up."""
        scale = decoded.scale
        if scale < 1 and any(lacks_pixels(face.landmarks * np.float32(scale)) for face in detections):
            with self.decoder.decode(photo_bytes, urgent=urgent) as full:
                return _align_faces(detections, full)
        return _align_faces(detections, decoded)

    def _embed(
        self, pairs: Sequence[tuple[Detection, AlignedFace]], decoded: DecodedPhoto, *, urgent: bool
    ) -> tuple[RecognizedFace, ...]:
        key = (Stage.EMBED,)
        futures = [self._batcher.submit(key, aligned, urgent=urgent) for _, aligned in pairs]
        faces = []
        for (detection, aligned), future in zip(pairs, futures, strict=True):
            template = normalize_embedding(cast("NDArray[np.float32]", future.result()))
            self._watch.check_template(aligned, template)
            clipped = clip_detection(detection, decoded.width_px, decoded.height_px)
            faces.append(RecognizedFace(clipped, template, measure_quality(detection, aligned)))
        return tuple(faces)

    def _run_batch(self, key: Hashable, items: Sequence[RgbImage]) -> Sequence[_ModelOutput]:
        stage = cast("tuple[Stage, ...]", key)[0]
        self._metrics.batch_size.labels(stage.name.lower()).observe(len(items))
        return self._models.detect(items) if stage is Stage.DETECT else self._models.embed(items)


def _align_faces(detections: Sequence[Detection], decoded: DecodedPhoto) -> list[tuple[Detection, AlignedFace]]:
    """Align every face; one whose landmarks fix no pose is dropped."""
    height, width = decoded.image.shape[:2]
    scale = np.array([width / decoded.width_px, height / decoded.height_px], dtype=np.float32)
    pairs = []
    for detection in detections:
        with contextlib.suppress(DegenerateLandmarks):
            pairs.append((detection, align_face(decoded.image, detection.landmarks * scale)))
    return pairs
