"""Packs in eight-bit integers: made out of a pack and photos, measured against it, and written only when as good.

Weights get seven bits of the eight: processors without VNNI instructions add pairs of products in sixteen bits, which
eight would overflow.
"""

import contextlib
import json
import logging
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facefleet.errors import DegenerateLandmarks, InvalidRequest, PackNotGoodEnough, PermanentError, RuntimeUnavailable
from facefleet.recognition.alignment import align_face
from facefleet.recognition.calibration import FILE_NAME as CALIBRATION_FILE
from facefleet.recognition.decode_limits import DecodeLimits
from facefleet.recognition.decoding import DecodedPhoto, decode_photo
from facefleet.recognition.detection import choose_canvas, fit_to_canvas
from facefleet.recognition.embedding import embedder_normalization
from facefleet.recognition.face_models import DETECTOR_NORMALIZATION
from facefleet.recognition.graphs import Normalization
from facefleet.recognition.model_pack import ModelPack, find_model_pack
from facefleet.recognition.openvino_loading import report_nothing
from facefleet.recognition.pack_files import CompatiblePack, PackFacts, hash_file
from facefleet.recognition.quantization_gate import Comparison, compare_packs
from facefleet.recognition.recognizer import Recognizer
from facefleet.recognition.starting import load_recognizer
from facefleet.settings import Settings

#: Photos whose pixels the detector's ranges are taken from, and faces for the embedder's.
_DETECTOR_SAMPLES, _EMBEDDER_SAMPLES = 100, 300
#: Opset from which on each channel of a weight can have a range of its own.
_PER_CHANNEL_OPSET = 13

_Samples = list[NDArray[np.float32]]


def quantize_pack(people: Sequence[Sequence[Path]], target: Path, settings: Settings) -> Comparison:
    """Make a pack of eight-bit models, and compare it with the one that the settings name.

    Of each person every other photo calibrates; the rest, which the models have not seen, is compared.

    Args:
        people: files of photos by person, in whom the largest face is the person.
        target: the new pack's folder; must not exist.
        settings: name the pack that is quantized, and the runtime that both are compared on.

    Raises:
        InvalidRequest: the target exists, or the photos are too few to tell.
        PackNotGoodEnough: the quantized models lose too much; nothing was written.
        RuntimeUnavailable: NNCF is not installed.
    """
    if target.exists():
        raise InvalidRequest(f"{target} exists already; name another folder with --out")
    _require_nncf()
    parent = find_model_pack(settings)
    with contextlib.closing(load_recognizer(settings)) as recognizer:
        calibrating = [photo for photos in people for photo in photos[::2]]
        pictures, faces = _collect_samples(recognizer, calibrating, parent)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        made = Path(scratch, "pack")
        made.mkdir()
        _quantize(parent.detector, pictures, made / parent.detector.name)
        _quantize(parent.embedder, faces, made / parent.embedder.name)
        _write_facts(parent, made)
        quantized = settings.model_copy(update={"model_pack": str(made)})
        found = compare_packs(settings, quantized, [photos[1::2] for photos in people])
        if found.failures:
            raise PackNotGoodEnough("The quantized models lose too much, and were not kept: " + found.failures + ".")
        _write_facts(parent, made, found)
        if (calibration := parent.directory / CALIBRATION_FILE).is_file():
            shutil.copy(calibration, made)
        shutil.move(made, target)
    return found


def _require_nncf() -> None:
    report_nothing()
    try:
        import nncf  # noqa: PLC0415  optional
    except ImportError as error:
        raise RuntimeUnavailable("Quantizing needs NNCF: install facefleet[quantize].") from error
    nncf.set_log_level(logging.ERROR)


def _collect_samples(recognizer: Recognizer, photos: Sequence[Path], pack: ModelPack) -> tuple[_Samples, _Samples]:
    """Make what the two models would be given for some photos, spread over all of them."""
    normalization = embedder_normalization(pack.embedder)
    pictures: _Samples = []
    faces: _Samples = []
    step = max(len(photos) // _EMBEDDER_SAMPLES, 1)
    for path in photos[::step]:
        try:
            photo_bytes = path.read_bytes()
            found = recognizer.recognize(photo_bytes).faces
            decoded = decode_photo(photo_bytes, DecodeLimits(sys.maxsize, sys.maxsize))
        except (PermanentError, OSError):
            continue
        if len(pictures) < _DETECTOR_SAMPLES:
            pictures.append(_picture_of(decoded))
        for face in found:
            with contextlib.suppress(DegenerateLandmarks):
                faces.append(_as_input(align_face(decoded.image, face.detection.landmarks), normalization))
    if not faces:
        raise InvalidRequest("no photo shows a face: there is nothing to quantize with")
    return pictures, faces[:_EMBEDDER_SAMPLES]


def _picture_of(decoded: DecodedPhoto) -> NDArray[np.float32]:
    canvas = choose_canvas(decoded.image.shape[0], decoded.image.shape[1], 640)
    return _as_input(fit_to_canvas(decoded.image, canvas, 640).pixels, DETECTOR_NORMALIZATION)


def _as_input(picture: NDArray[np.uint8], normalization: Normalization) -> NDArray[np.float32]:
    """Turn (H, W, 3) uint8 RGB into (1, 3, H, W) as the pack's own file wants it."""
    planes = picture.transpose(2, 0, 1)[None].astype(np.float32)
    return np.ascontiguousarray((planes - normalization.mean) / normalization.std, np.float32)


def _quantize(source: Path, samples: _Samples, target: Path) -> None:
    import nncf  # noqa: PLC0415  optional
    import onnx  # noqa: PLC0415  half a second, as elsewhere

    model = onnx.load(source)
    if model.opset_import[0].version < _PER_CHANNEL_OPSET:
        model = onnx.version_converter.convert_version(model, _PER_CHANNEL_OPSET)
    weights = {weight.name for weight in model.graph.initializer}
    name = next(value.name for value in model.graph.input if value.name not in weights)
    options = nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.ENABLE)
    with contextlib.redirect_stdout(sys.stderr):  # it draws progress, and standard output belongs to results
        quantized = nncf.quantize(
            model,
            nncf.Dataset(samples, lambda sample: {name: sample}),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(samples),
            advanced_parameters=options,
        )
    onnx.save(quantized, target)


def _write_facts(parent: ModelPack, directory: Path, found: Comparison | None = None) -> None:
    kin = (
        CompatiblePack(name=parent.directory.name, model_version=parent.model_version, compared=found.figures)
        if found
        else None
    )
    facts = PackFacts(
        detection_threshold=parent.detection_threshold,
        similarity_threshold=parent.similarity_threshold,
        licence=parent.licence,
        drawn_people=parent.drawn_people,
        manifest={path.name: hash_file(path) for path in directory.glob("*.onnx")},
        compatible_with=kin,
    )
    (directory / "pack.json").write_text(json.dumps(facts.model_dump(exclude_none=True), indent=2) + "\n")
