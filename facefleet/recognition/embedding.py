"""Aligned faces to templates."""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facefleet.errors import RecognizerUnavailable
from facefleet.face_records import Template
from facefleet.recognition.graphs import Normalization
from facefleet.recognition.pack_files import read_model_header

#: InsightFace looks for a built-in normalisation among this many nodes.
_FIRST_NODES = 8
#: A raw embedding shorter than this carries no direction.
_MIN_NORM = 1e-6


def embedder_normalization(path: Path) -> Normalization:
    """Tell what an embedder's file expects: raw pixels when it begins with its own Sub and Mul, else -1 to 1.

    Raises:
        ModelPackMismatch: it is no model.

    Source: insightface.model_zoo.arcface_onnx, which decides by the names of the first eight nodes.
    """
    names = read_model_header(path).node_names[:_FIRST_NODES]
    subtracts = any(name.startswith(("Sub", "_minus")) for name in names)
    multiplies = any(name.startswith(("Mul", "_mul")) for name in names)
    return Normalization(0.0, 1.0) if subtracts and multiplies else Normalization(127.5, 127.5)


def normalize_embedding(embedding: NDArray[np.float32]) -> Template:
    """Scale a raw embedding to length 1.

    Args:
        embedding: (D,) float32.

    Raises:
        RecognizerUnavailable: it is zero or not finite: no face does that to a sound model.
    """
    norm = math.sqrt(embedding @ embedding)
    if not math.isfinite(norm) or norm < _MIN_NORM:
        raise RecognizerUnavailable("The embedder answers zeros or values that are not numbers.")
    return embedding / np.float32(norm)
