"""The model card of the demo pack."""

from dataclasses import dataclass

from demo.pack_facts import PackFacts
from demo.training.detector_data import SIDE_PX
from demo.training.detector_training import DetectorPlan
from demo.training.embedder_data import FacePlan
from demo.training.embedder_training import EmbedderPlan

CARD_FILE = "MODEL_CARD.md"


@dataclass(frozen=True)
class DetectorRecord:
    """How the detector was trained."""

    plan: DetectorPlan
    #: Labelled faces in the training photos.
    faces: int
    #: Steps that were done before the time was up.
    steps: int


@dataclass(frozen=True)
class EmbedderRecord:
    """How the embedder and its straightener were trained."""

    drawing: FacePlan
    plan: EmbedderPlan
    #: Steps that were done before the time was up.
    straightener_steps: int
    steps: int


@dataclass(frozen=True)
class TrainingRecord:
    """What happened in a training, as far as the card tells it."""

    detector: DetectorRecord
    embedder: EmbedderRecord


def model_card(record: TrainingRecord, facts: PackFacts, figures: str) -> str:
    """The card's text, Markdown; `figures` are the measured tables."""
    detector, embedder, drawing = record.detector.plan, record.embedder.plan, record.embedder.drawing
    return f"""# Model card: the demo pack

A face detector (`det_drawn.onnx`) and a face embedder (`rec_drawn.onnx`) that know **drawn people only**.
They let Facefleet be tried and tested offline. No real person's picture was used, none can be recognised.

## What it is for
- Trying Facefleet: `make demo`, `FACEFLEET_MODEL_PACK=demo`.
- Facefleet's own tests, which so run a real detector and a real embedder.

## What it is not for
- Photographs. It was never shown one: it will miss faces, find faces where none are, and confuse people.
- Any statement about people, or about how well face recognition works on them.
- Comparing Facefleet's accuracy with other software: a drawn face is far easier than a real one.

## Data
Everything is drawn by the code in `demo/` from seeds: {detector.photos} photos of {SIDE_PX} x {SIDE_PX} pixels
with {record.detector.faces} faces for the detector; {drawing.people} people in {drawing.shots} poses each for the
embedder, every one reduced to two sizes, the first of 14 to 32 pixels.
Skin tones, hairstyles, glasses, beards and headwear are drawn from fixed lists; the drawings have no sex, age or
origin, and the figures say nothing about any group of people. The people of the evaluation come from other seeds and
are in neither training.

## Models
- Detector: InsightFace's SCRFD contract. RGB, (x - 127.5) / 128, `[N, 3, H, W]`, sides multiples of 32; nine outputs
  (scores, boxes, landmarks at strides 8, 16, 32; two anchors a cell), image after image when N > 1. Landmarks are
  sharpened inside of the graph by a field of offsets (GridSample, opset 16). Trained for
  {record.detector.steps} steps of {detector.batch} photos.
- Embedder: aligned faces `[N, 3, 112, 112]`, RGB, (x - 127.5) / 127.5, to `[N, 128]`; compare by cosine. A small
  network first says how the face should have been aligned, and the graph aligns it again (GridSample); it learned that
  from faces aligned with the errors that this detector's landmarks were measured to have, drawn afresh at each of
  {record.embedder.straightener_steps} steps of {embedder.batch} faces. The embedder proper learned from faces that were
  straightened so: CosFace with margin {embedder.margin}, {record.embedder.steps} steps of {embedder.batch} faces. The
  graph adds up what it says of a face and of its mirror image.

Train it again with `make demo-pack`: seeded, two to three hours on two CPU cores, less with a GPU.

## Measured
`make demo-pack-eval`: 200 drawn photos of 25 people never trained on, 400 to 640 pixels wide, faces of 16 to 300
pixels, detector at 640, once through `insightface.app.FaceAnalysis` and once through Facefleet. On other people, the
development sets, were chosen: the detection threshold ({facts.detection_threshold}), the similarity below which two
faces are taken for two people ({facts.similarity_threshold}, FAR 1e-3 over faces of all sizes), and
HDBSCAN's parameters.

{figures}

## Licence
Apache-2.0, as the rest of the project.
"""
