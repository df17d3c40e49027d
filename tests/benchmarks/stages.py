"""Where the time of a photo goes: every stage by itself, one thread, on the photos of an album."""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from facefleet.recognition.decode_limits import DecodeLimits
from facefleet.recognition.decoders import read_stored_photo
from facefleet.recognition.decoding import kept_side_px, turn_upright
from facefleet.recognition.detection import choose_canvas, decode_detections, fit_to_canvas, scale_detection
from facefleet.recognition.embedding import normalize_embedding
from facefleet.recognition.face_models import FaceModels, load_models
from facefleet.recognition.model_pack import find_model_pack
from facefleet.recognition.quality import measure_quality
from facefleet.recognition.recognizer import _align_faces
from facefleet.recognition.runtimes import choose_runtime
from facefleet.settings import Settings

_Result = TypeVar("_Result")
_LIMITS = DecodeLimits(max_bytes=50_000_000, max_pixels=100_000_000)
#: Pixels go where those of the photo before were, as in the sandbox: touching fresh memory costs a tenth.
_ROOM = np.empty(3 * _LIMITS.max_pixels, np.uint8)


class Stopwatch:
    """CPU seconds by stage."""

    def __init__(self) -> None:
        self.spent_s: dict[str, list[float]] = defaultdict(list)

    def time(self, stage: str, work: Callable[[], _Result]) -> _Result:
        """Run one stage."""
        began_s = time.process_time()
        result = work()
        self.spent_s[stage].append(time.process_time() - began_s)
        return result


def measure_stages(pack: Path, album: Path, photos: int) -> dict[str, float]:
    """Run each stage alone on some photos of an album; the first ones are taken twice, to warm up.

    Returns:
        Milliseconds of CPU a photo by stage, in their order.
    """
    settings = Settings(model_pack=str(pack), device="cpu", cpu_threads=1)
    model_pack = find_model_pack(settings)
    models = load_models(model_pack, choose_runtime(settings), settings.detection_size_px)
    files = sorted(album.glob("*.jpg"))[:photos]
    for path in files[:5]:
        _run_stages(Stopwatch(), models, path, model_pack.detection_threshold)
    watch = Stopwatch()
    for path in files:
        _run_stages(watch, models, path, model_pack.detection_threshold)
    return {stage: 1000 * statistics.mean(spent_s) for stage, spent_s in watch.spent_s.items()}


def _run_stages(watch: Stopwatch, models: FaceModels, path: Path, threshold: float) -> None:
    data = watch.time("read", path.read_bytes)
    stored = watch.time("decode", lambda: read_stored_photo(data, _LIMITS, min_side_px=kept_side_px(0), room=_ROOM))
    decoded = turn_upright(stored)
    height, width = decoded.image.shape[:2]
    fitted = watch.time("shrink", lambda: fit_to_canvas(decoded.image, choose_canvas(height, width, 640), 640))
    raw = watch.time("detect", lambda: models.detect([fitted.pixels])[0])
    scale = decoded.width_px / width, decoded.height_px / height
    found = watch.time(
        "boxes", lambda: [scale_detection(each, *scale) for each in decode_detections(raw, fitted, threshold)]
    )
    pairs = watch.time("align", lambda: _align_faces(found, decoded))
    watch.time("embed", lambda: [normalize_embedding(models.embed([aligned])[0]) for _, aligned in pairs])
    watch.time("quality", lambda: [measure_quality(*pair) for pair in pairs])
