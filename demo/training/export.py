"""Both networks as ONNX files in InsightFace's layout."""

import copy
from pathlib import Path

import onnx
import torch
from torch import nn

from demo.training.alignment import FACE_SIDE_PX
from demo.training.detector_network import STRIDES, FaceDetector, refine_landmarks
from demo.training.embedder_network import FaceEmbedder, FaceStraightener, straighten

DETECTOR_FILE, EMBEDDER_FILE = "det_drawn.onnx", "rec_drawn.onnx"
#: The first opset with GridSample.
OPSET = 16
#: SCRFD's order of outputs: all scores, all boxes, all landmarks, each from fine to coarse.
DETECTOR_OUTPUTS = [f"{kind}_{stride}" for kind in ("score", "bbox", "kps") for stride in STRIDES]


class ExportedDetector(nn.Module):  # type: ignore[misc]  # PyTorch is not type-checked
    """The detector with SCRFD's nine flat outputs, image after image when there are several."""

    def __init__(self, network: FaceDetector) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Scores (N * A, 1) 0..1, boxes (N * A, 4) and landmarks (N * A, 10) in strides, per stride."""
        levels = self.network(images)
        scores = [torch.sigmoid(level.scores) for level in levels]
        landmarks = [refine_landmarks(level.landmarks, level.field) for level in levels]
        boxes = [level.boxes for level in levels]
        wide = [(maps, values) for maps, values in ((scores, 1), (boxes, 4), (landmarks, 10))]
        return tuple(level.permute(0, 2, 3, 1).reshape(-1, values) for maps, values in wide for level in maps)


class ExportedEmbedder(nn.Module):  # type: ignore[misc]  # PyTorch is not type-checked
    """Both parts on a face and on its mirror image: a head turned left resembles one turned right."""

    def __init__(self, straightener: FaceStraightener, embedder: FaceEmbedder) -> None:
        super().__init__()
        self.straightener = straightener
        self.embedder = embedder

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        """(N, 3, 112, 112) to (N, 128)."""
        # In a mirror the face turns and moves aside the other way.
        mirrored = self.straightener(faces.flip(3)) * torch.tensor([1.0, -1.0, -1.0, 1.0])
        straight = straighten(faces, (self.straightener(faces) + mirrored) / 2)
        embeddings: torch.Tensor = self.embedder(straight) + self.embedder(straight.flip(3))
        return embeddings


def export_detector(network: FaceDetector, directory: Path) -> None:
    """Write the detector; N, H and W stay open."""
    model = ExportedDetector(copy.deepcopy(network).cpu().eval())
    # Not 640 x 640: a size that got frozen into the graph would show at once in the tests.
    example = torch.zeros(1, 3, 320, 416)
    axes = {"images": {0: "N", 2: "H", 3: "W"}}
    _export(model, example, directory / DETECTOR_FILE, "images", DETECTOR_OUTPUTS, axes)


def export_embedder(straightener: FaceStraightener, embedder: FaceEmbedder, directory: Path) -> None:
    """Write the embedder; N stays open."""
    example = torch.zeros(1, 3, FACE_SIDE_PX, FACE_SIDE_PX)
    axes = {"faces": {0: "N"}, "embeddings": {0: "N"}}
    model = ExportedEmbedder(copy.deepcopy(straightener), copy.deepcopy(embedder)).cpu().eval()
    _export(model, example, directory / EMBEDDER_FILE, "faces", ["embeddings"], axes)


def _export(
    model: nn.Module, example: torch.Tensor, path: Path, input_name: str, output_names: list[str],
    axes: dict[str, dict[int, str]],
) -> None:  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        model, (example,), str(path), input_names=[input_name], output_names=output_names, dynamic_axes=axes,
        opset_version=OPSET, dynamo=False,
    )  # fmt: skip
    graph = onnx.load(str(path))
    _rename(graph.graph)
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, str(path))


def _rename(graph: onnx.GraphProto) -> None:
    """Number nodes and inner values: PyTorch's names are a fiftieth of the file.

    InsightFace takes a first node whose name begins with Sub or Mul for normalisation inside of the file.
    """
    kept = {value.name for value in (*graph.input, *graph.output)} | {""}
    names = {weight.name: f"w{number}" for number, weight in enumerate(graph.initializer)}
    outputs = [name for node in graph.node for name in node.output if name not in kept]
    names |= {name: f"v{number}" for number, name in enumerate(outputs)}
    for weight in graph.initializer:
        weight.name = names[weight.name]
    for number, node in enumerate(graph.node):
        node.name = f"layer_{number}"
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
