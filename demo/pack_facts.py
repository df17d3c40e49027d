"""What the bundled model pack says about itself, in `pack.json`."""

import json
from dataclasses import dataclass
from pathlib import Path

PACK_DIRECTORY = Path(__file__).parent / "pack"
PACK_FILE = "pack.json"


@dataclass(frozen=True)
class PackFacts:
    """The content of `pack.json`."""

    #: Detections below this score are not faces.
    detection_threshold: float
    #: SPDX identifier.
    licence: str
    #: Whether the models know drawn people only.
    drawn_people: bool
    #: Cosine similarity below which two faces are taken for two people: FAR 1e-3 on people never trained on.
    similarity_threshold: float = 0.4


def read_pack_facts(pack: Path = PACK_DIRECTORY) -> PackFacts:
    """Read a pack's `pack.json`."""
    return PackFacts(**json.loads((pack / PACK_FILE).read_text(encoding="utf-8")))
