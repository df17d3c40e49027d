"""People who do not exist, as templates: each scatters around a direction of its own."""

import numpy as np

from facefleet.people.face_set import FloatArray
from facefleet.prediction.labelled_faces import LabelledFaces

DIMENSIONS = 64


def draw_people(people: int, faces_of_each: int, scatter: float = 0.9, seed: int = 0) -> LabelledFaces:
    """Draw faces; at a scatter of 1 two faces of one person have a cosine of about a half."""
    rng = np.random.default_rng(seed)
    centres = normalise(rng.standard_normal((people, DIMENSIONS)))
    noise = rng.standard_normal((people * faces_of_each, DIMENSIONS)) / np.sqrt(DIMENSIONS)
    templates = normalise(np.repeat(centres, faces_of_each, axis=0) + scatter * noise)
    return LabelledFaces(templates, np.repeat(np.arange(people), faces_of_each))


def normalise(vectors: FloatArray) -> FloatArray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
