"""Model files as they are run: any number of pictures at once, raw pixels in, normalisation inside.

The pack's file is never touched; the rewritten graph lives in memory. Feeding bytes keeps the host's work and what is
copied to a GPU at a quarter of float32.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnx

INPUT_NAME = "rgb_pixels"
_BATCH_AXIS = "n"
#: (N, H, W, C) to (N, C, H, W).
_CHANNELS_FIRST = [0, 3, 1, 2]
#: (N, C, H, W) to (H, W, N, C), as mmdetection exports it, and to (N, H, W, C): the same bytes when N is 1.
_PICTURE_THIRD, _PICTURE_FIRST = [2, 3, 0, 1], [0, 2, 3, 1]


@dataclass(frozen=True, slots=True)
class Normalization:
    """The network sees (pixel - mean) / std."""

    mean: float
    std: float


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model that is made ready only when somebody asks: who has it compiled does without, and without `onnx`."""

    #: Differs when what `load` returns does.
    key: str
    #: Returns a serialized ONNX model.
    load: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Graph:
    """A serialized ONNX model with one input, (N, H, W, 3) uint8 RGB."""

    model: bytes
    #: Whether the file itself fixed a batch of one, so that larger batches are the rewrite's doing.
    batch_was_fixed: bool


def prepare_graph(path: Path, normalization: Normalization) -> Graph:
    """Load a model and free its batch axis.

    The public SCRFD files declare a batch of one and flatten their outputs with `Transpose(2, 3, 0, 1)` and
    `Reshape(-1, k)`: a batch would come out interleaved. With the picture as the slowest axis the rows of a batch come
    out picture after picture, and the caller splits them.

    Args:
        path: an ONNX file with one input, (1 or N, 3, H, W) float32.
        normalization: prepended to the graph.
    """
    import onnx  # noqa: PLC0415  # half a second and 20 MB that model_pack's other users need not pay

    model = onnx.load(path)
    graph = model.graph
    weights = {weight.name for weight in graph.initializer}
    pixels = next(value for value in graph.input if value.name not in weights)
    shape = pixels.type.tensor_type.shape.dim
    batch_was_fixed = shape[0].dim_value == 1
    height, width = (dim.dim_value or name for dim, name in zip(shape[2:], ("h", "w"), strict=True))
    graph.input.remove(pixels)
    picture = onnx.helper.make_tensor_value_info(INPUT_NAME, onnx.TensorProto.UINT8, [_BATCH_AXIS, height, width, 3])
    graph.input.insert(0, picture)
    _put_picture_first(graph)
    _prepend(graph, _normalizing_nodes(pixels.name, normalization))
    del graph.value_info[:]
    for output in graph.output:  # the declared sizes are those of one 640x640 picture
        output.type.tensor_type.ClearField("shape")
    return Graph(cast("bytes", model.SerializeToString()), batch_was_fixed)


def rules_version() -> str:
    """Name the rules that `prepare_graph` follows: the hash of this file, so that nobody can forget to change it."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]


def _normalizing_nodes(pixels: str, normalization: Normalization) -> "list[onnx.NodeProto]":
    import onnx  # noqa: PLC0415  # see prepare_graph

    def constant(name: str, value: float) -> "onnx.NodeProto":
        tensor = onnx.numpy_helper.from_array(np.float32(value), name)
        return onnx.helper.make_node("Constant", [], [name], value=tensor)

    return [
        constant("facefleet_mean", normalization.mean),
        constant("facefleet_factor", 1.0 / normalization.std),
        onnx.helper.make_node("Cast", [INPUT_NAME], ["facefleet_floats"], to=onnx.TensorProto.FLOAT),
        onnx.helper.make_node("Sub", ["facefleet_floats", "facefleet_mean"], ["facefleet_centred"]),
        onnx.helper.make_node("Mul", ["facefleet_centred", "facefleet_factor"], ["facefleet_scaled"]),
        # Last: OpenVINO, whose convolutions take channels last, needs to move nothing then.
        onnx.helper.make_node("Transpose", ["facefleet_scaled"], [pixels], perm=_CHANNELS_FIRST),
    ]


def _put_picture_first(graph: "onnx.GraphProto") -> None:
    flattened = {node.input[0] for node in graph.node if node.op_type == "Reshape"}
    for node in graph.node:
        if node.op_type == "Transpose" and node.output[0] in flattened:
            for attribute in node.attribute:
                if list(attribute.ints) == _PICTURE_THIRD:
                    attribute.ints[:] = _PICTURE_FIRST


def _prepend(graph: "onnx.GraphProto", nodes: "list[onnx.NodeProto]") -> None:
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes + rest)


def rewrite_matches(path: Path, graph: Graph, normalization: Normalization, size_px: tuple[int, int]) -> bool:
    """Check on a batch of two noise pictures that the rewritten graph answers what the file answers one at a time.

    Args:
        path: the pack's file.
        graph: what `prepare_graph` made of it.
        normalization: the same as there.
        size_px: (height, width) to try.
    """
    import onnxruntime  # noqa: PLC0415  # see prepare_graph

    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    cpu = ["CPUExecutionProvider"]
    original = onnxruntime.InferenceSession(path, options, providers=cpu)
    rewritten = onnxruntime.InferenceSession(graph.model, options, providers=cpu)
    pictures = np.random.default_rng(0).integers(0, 256, (2, *size_px, 3), dtype=np.uint8)
    planes = (pictures.transpose(_CHANNELS_FIRST).astype(np.float32) - normalization.mean) / normalization.std
    name = original.get_inputs()[0].name
    wanted = [original.run(None, {name: np.ascontiguousarray(plane[None])}) for plane in planes]
    try:
        answers: list[NDArray[np.float32]] = rewritten.run(None, {INPUT_NAME: pictures})
    except Exception:  # noqa: BLE001  # ONNX Runtime raises a class of its own for every cause: the rewrite failed
        return False
    return all(
        answer.size == 2 * first.size
        and np.allclose(answer.reshape(2, -1), [first.ravel(), second.ravel()], rtol=1e-3, atol=1e-3)
        for answer, first, second in zip(answers, *wanted, strict=True)
    )


def identity_graph() -> bytes:
    """Make the smallest model that computes something: to see whether a device runs at all."""
    import onnx  # noqa: PLC0415  # see prepare_graph

    bytes_in = onnx.helper.make_tensor_value_info(INPUT_NAME, onnx.TensorProto.UINT8, ["n", "h", "w", 3])
    floats_out = onnx.helper.make_tensor_value_info("floats", onnx.TensorProto.FLOAT, ["n", "h", "w", 3])
    cast_node = onnx.helper.make_node("Cast", [INPUT_NAME], ["floats"], to=onnx.TensorProto.FLOAT)
    graph = onnx.helper.make_graph([cast_node], "identity", [bytes_in], [floats_out])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    return cast("bytes", model.SerializeToString())
