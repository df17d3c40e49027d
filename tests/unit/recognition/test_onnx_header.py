"""What is read of a model file without `onnx` is what `onnx` reads of it."""

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from facefleet.recognition.onnx_header import read_onnx_header


def read_with_onnx(path: Path) -> tuple[tuple[tuple[int, ...], ...], int, tuple[str, ...]]:
    graph = onnx.load(path, load_external_data=False).graph
    weights = {weight.name for weight in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    shapes = tuple(tuple(size.dim_value for size in value.type.tensor_type.shape.dim) for value in inputs)
    return shapes, len(graph.output), tuple(node.name for node in graph.node)


@pytest.fixture
def old_model(tmp_path: Path) -> Path:
    """One that lists its weights among its inputs, has an input without a shape, and negative and 64-bit numbers."""
    inputs = [
        helper.make_tensor_value_info("w", TensorProto.FLOAT, [2]),
        helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, 2**40]),
        helper.make_tensor_value_info("free", TensorProto.FLOAT, None),
    ]
    weight = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, -2.0])
    output = helper.make_tensor_value_info("answer", TensorProto.FLOAT, [-1])
    nodes = [helper.make_node("Mul", ["pixels", "w"], ["answer"], name="größer"), helper.make_node("Neg", ["w"], ["x"])]
    path = tmp_path / "old.onnx"
    onnx.save(helper.make_model(helper.make_graph(nodes, "old", inputs, [output], [weight]), ir_version=3), path)
    return path


def check(path: Path) -> None:
    header = read_onnx_header(path)
    assert (header.input_shapes, header.outputs, header.node_names) == read_with_onnx(path)


def test_it_reads_what_onnx_reads(old_model: Path, demo_pack: Path) -> None:
    for path in (old_model, *demo_pack.glob("*.onnx")):
        check(path)


@pytest.mark.shared
def test_it_reads_what_onnx_reads_of_public_models(shared_dir: Path) -> None:
    models = list(shared_dir.glob("models/*/*.onnx"))
    assert models
    for path in models:
        check(path)


def test_every_damage_is_a_value_error_or_harmless(old_model: Path, tmp_path: Path) -> None:
    whole, harmed = old_model.read_bytes(), tmp_path / "harmed.onnx"
    for at in range(len(whole)):
        for content in (whole[:at], whole[:at] + b"\xff" + whole[at + 1 :]):
            harmed.write_bytes(content)
            try:
                read_onnx_header(harmed)
            except ValueError:
                continue


@pytest.mark.parametrize("content", [b"", b"this is no model", b"\x0f" * 50, b"\xff" * 20, bytes(30)])
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "none.onnx"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged|no graph|empty"):
        read_onnx_header(path)
