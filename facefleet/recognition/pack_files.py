"""The files of a model pack: which is which, and whether they are the right ones."""

import hashlib
import json
import logging
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from facefleet.errors import ModelPackMismatch
from facefleet.recognition.onnx_header import OnnxHeader, read_onnx_header

#: Detection threshold that InsightFace uses for its packs.
INSIGHTFACE_THRESHOLD = 0.5
#: Cosine at which few strangers pass with ArcFace-like embedders; a pack that was measured says better.
USUAL_SIMILARITY_THRESHOLD = 0.3
#: A detector has scores, boxes and often landmarks for three strides; nothing else in a pack has that many outputs.
_MIN_DETECTOR_OUTPUTS = 5
_ALIGNED_SIZE_PX = 112


class KnownPack(BaseModel):
    """File name and SHA-256 of the two files of a public pack."""

    detector: tuple[str, str]
    embedder: tuple[str, str]


class CompatiblePack(BaseModel):
    """A pack whose templates may be compared with those of the pack that says so, and how that was measured."""

    name: str
    model_version: str = Field(pattern=r"^[0-9a-f]{16}$")
    compared: dict[str, float]


class PackFacts(BaseModel):
    """`pack.json`, which a pack may bring along."""

    model_config = ConfigDict(extra="forbid")

    detection_threshold: float = Field(default=INSIGHTFACE_THRESHOLD, gt=0, lt=1)
    similarity_threshold: float = Field(default=USUAL_SIMILARITY_THRESHOLD, ge=-1, le=1)
    licence: str = ""
    drawn_people: bool = False
    #: File name -> SHA-256 in hexadecimal.
    manifest: dict[str, str] = Field(default_factory=dict)
    #: Of a quantized pack: what it was made from, and is as good as.
    compatible_with: CompatiblePack | None = None


def known_packs() -> dict[str, KnownPack]:
    """Name the public packs with the hashes of their files."""
    text = (resources.files("facefleet.recognition") / "known_packs.json").read_text(encoding="utf-8")
    return {name: KnownPack.model_validate(pack) for name, pack in json.loads(text).items()}


def read_facts(directory: Path) -> PackFacts:
    """Read `pack.json`, or the defaults where there is none; ModelPackMismatch when it is not understood."""
    path = directory / "pack.json"
    if not path.is_file():
        return PackFacts()
    try:
        return PackFacts.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ModelPackMismatch(f"{path} cannot be used: {place}: {first['msg']}.") from error


def route_files(directory: Path) -> tuple[Path, Path]:
    """Tell (detector, embedder) apart by inputs and outputs, as InsightFace does; other models are ignored."""
    found: dict[str, Path] = {}
    for path in sorted(directory.glob("*.onnx")):
        role = _role_of(path)
        if role:
            found.setdefault(role, path)
    missing = [role for role in ("detector", "embedder") if role not in found]
    if missing:
        raise ModelPackMismatch(
            f"{directory} is no model pack: no ONNX file in it is a face {' or '.join(missing)}. A pack holds an SCRFD "
            "detector and a recognition model for 112x112 pixels."
        )
    return found["detector"], found["embedder"]


def _role_of(path: Path) -> str | None:
    header = read_model_header(path)
    if header.outputs >= _MIN_DETECTOR_OUTPUTS:
        return "detector"
    shapes = header.input_shapes
    if header.outputs == 1 and len(shapes) == 1 and shapes[0][2:] == (_ALIGNED_SIZE_PX, _ALIGNED_SIZE_PX):
        return "embedder"
    logging.getLogger(__name__).debug("ignored %s: neither detector nor embedder", path)
    return None


def read_model_header(path: Path) -> OnnxHeader:
    """Read what a model file says of itself; ModelPackMismatch when it says nothing."""
    try:
        return read_onnx_header(path)
    except (ValueError, OSError) as error:
        raise ModelPackMismatch(f"{path} is not a readable ONNX file.") from error


def check_hash(path: Path, sha256: str) -> None:
    """Raise ModelPackMismatch when a file is not the one that the manifest names."""
    if hash_file(path) != sha256.lower():
        raise ModelPackMismatch(f"{path} is not the file its manifest names (its SHA-256 differs); fetch it again.")


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
