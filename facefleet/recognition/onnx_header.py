"""What an ONNX file says of itself, read without the package `onnx`, which takes 0.1 s and 20 MB to import.

Names and sizes are read, weights are stepped over. The format is protobuf: fields of a number, a wire type and a value
(https://protobuf.dev/programming-guides/encoding/). The numbers below are those of onnx.proto.
"""

import mmap
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

_GRAPH = 7
_NODES, _WEIGHTS, _INPUTS, _OUTPUTS = 1, 5, 11, 12
_NODE_NAME, _WEIGHT_NAME, _VALUE_NAME = 3, 8, 1
#: From a value's declaration to the sizes of a tensor: type, tensor_type, shape.
_TO_SHAPE = (2, 1, 2)
_DIMENSION, _DIMENSION_VALUE = 1, 1

_VARINT, _COUNTED = 0, 2
#: Wire types of a fixed length, in bytes.
_FIXED_BYTES = {1: 8, 5: 4}
_CONTINUES = 0x80
_LONGEST_VARINT_BYTES = 10


@dataclass(frozen=True, slots=True)
class OnnxHeader:
    """Inputs, outputs and nodes of a graph."""

    #: Sizes of each input that is no weight; 0 for one that is left open.
    input_shapes: tuple[tuple[int, ...], ...]
    outputs: int
    #: In the file's order; many files leave nodes without names.
    node_names: tuple[str, ...]


def read_onnx_header(path: Path) -> OnnxHeader:
    """Read a model file.

    Raises:
        ValueError: not an ONNX file, or a damaged one.
        OSError: it cannot be read.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        graph = _fields(content, _Span(0, len(content)))[_GRAPH]
        if not graph:
            raise ValueError("it holds no graph")
        parts = _fields(content, graph[-1])
        inputs = parts[_INPUTS]
        if len(inputs) > 1:  # old files list their weights there
            weights = {_text(content, weight, _WEIGHT_NAME) for weight in parts[_WEIGHTS]}
            inputs = [value for value in inputs if _text(content, value, _VALUE_NAME) not in weights]
        return OnnxHeader(
            input_shapes=tuple(_shape(content, value) for value in inputs),
            outputs=len(parts[_OUTPUTS]),
            node_names=tuple(_text(content, node, _NODE_NAME) for node in parts[_NODES]),
        )


class _Span(NamedTuple):
    """Where a value lies; of a number, `start` is the number itself."""

    start: int
    end: int


_Fields: TypeAlias = defaultdict[int, list[_Span]]


def _fields(content: mmap.mmap, message: _Span) -> _Fields:
    """Find the values of each field of a message, in their order."""
    found: _Fields = defaultdict(list)
    at = message.start
    while at < message.end:
        tag, at = _varint(content, at)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == _VARINT:
            value, at = _varint(content, at)
            found[number].append(_Span(value, at))
            continue
        size, at = _varint(content, at) if wire_type == _COUNTED else (_FIXED_BYTES.get(wire_type, -1), at)
        if size < 0 or at + size > message.end:
            raise ValueError("it is damaged")
        found[number].append(_Span(at, at := at + size))
    return found


def _varint(content: mmap.mmap, at: int) -> tuple[int, int]:
    """Read a number of any length; return it and where it ends."""
    number = 0
    for index, byte in enumerate(content[at : at + _LONGEST_VARINT_BYTES]):
        number |= (byte & ~_CONTINUES) << 7 * index
        if byte < _CONTINUES:
            return number, at + index + 1
    raise ValueError("it is damaged")


def _text(content: mmap.mmap, message: _Span, field: int) -> str:
    values = _fields(content, message)[field]
    return content[values[-1].start : values[-1].end].decode() if values else ""


def _shape(content: mmap.mmap, value: _Span) -> tuple[int, ...]:
    for field in _TO_SHAPE:
        inner = _fields(content, value)[field]
        if not inner:
            return ()
        value = inner[-1]
    dimensions = [_fields(content, each)[_DIMENSION_VALUE] for each in _fields(content, value)[_DIMENSION]]
    return tuple(sizes[-1].start if sizes else 0 for sizes in dimensions)
