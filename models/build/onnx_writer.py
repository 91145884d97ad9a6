"""Writes ONNX files without the onnx package: enough of onnx.proto for a feed-forward picture network.

The numbers of the fields and enums are those of onnx.proto (ONNX IR version 8).
"""

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["GraphWriter"]

OPSET = 17
_IR_VERSION = 8
_FLOAT, _INT64, _DOUBLE = 1, 7, 11  # TensorProto.DataType
_ATTRIBUTE_FLOAT, _ATTRIBUTE_INT, _ATTRIBUTE_STRING, _ATTRIBUTE_INTS = (
    1,
    2,
    3,
    7,
)  # AttributeProto.AttributeType

Value = float | int | str | Sequence[int]


class GraphWriter:
    """Collects the nodes and weights of one graph, then writes them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._parts: list[bytes] = []
        self._count = 0

    def input(self, name: str, shape: Sequence[int | str], *, double: bool = False) -> str:
        """A float32 input, or a float64 one; returns its name. A dimension that is a str is free, and called
        that."""
        self._parts.append(_message(11, _value_info(name, shape, _DOUBLE if double else _FLOAT)))
        return name

    def output(self, name: str, shape: Sequence[int | str]) -> None:
        """Declare the float32 tensor `name` an output."""
        self._parts.append(_message(12, _value_info(name, shape)))

    def constant(self, values: NDArray[np.float32] | NDArray[np.int64], *, name: str = "") -> str:
        """A weight; returns its name, a fresh one unless it is given."""
        name = name or self._fresh("weight")
        kind = _INT64 if values.dtype == np.int64 else _FLOAT
        dims = b"".join(_varint_field(1, size) for size in values.shape)
        data = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
        self._parts.append(_message(5, dims + _varint_field(2, kind) + _text(8, name) + _message(9, data)))
        return name

    def node(
        self, operator: str, inputs: Iterable[str], *, output: str | None = None, **attributes: Value
    ) -> str:
        """A node with one output; returns the output's name."""
        result = output or self._fresh(operator.lower())
        content = b"".join(_text(1, name) for name in inputs) + _text(2, result)
        content += _text(3, f"node_{result}") + _text(4, operator)
        content += b"".join(_message(5, _attribute(name, value)) for name, value in attributes.items())
        self._parts.append(_message(1, content))
        return result

    def write(self, path: Path) -> None:
        """Write the model. Raises OSError."""
        size = sum(map(len, self._parts)) + len(_text(2, self._name))
        with path.open("wb") as file:
            file.write(_varint_field(1, _IR_VERSION) + _varint(7 << 3 | 2) + _varint(size))
            file.writelines(self._parts)
            file.write(_text(2, self._name))
            file.write(_message(8, _text(1, "") + _varint_field(2, OPSET)))

    def _fresh(self, stem: str) -> str:
        self._count += 1
        return f"{stem}_{self._count}"


def _attribute(name: str, value: Value) -> bytes:
    head = _text(1, name)
    if isinstance(value, float):
        return head + _varint(2 << 3 | 5) + struct.pack("<f", value) + _varint_field(20, _ATTRIBUTE_FLOAT)
    if isinstance(value, int):
        return head + _varint_field(3, value) + _varint_field(20, _ATTRIBUTE_INT)
    if isinstance(value, str):
        return head + _text(4, value) + _varint_field(20, _ATTRIBUTE_STRING)
    return head + b"".join(_varint_field(8, each) for each in value) + _varint_field(20, _ATTRIBUTE_INTS)


def _value_info(name: str, shape: Sequence[int | str], kind: int = _FLOAT) -> bytes:
    dimensions = b"".join(
        _message(1, _text(2, size) if isinstance(size, str) else _varint_field(1, size)) for size in shape
    )
    tensor = _varint_field(1, kind) + _message(2, dimensions)
    return _text(1, name) + _message(2, _message(1, tensor))


def _varint(value: int) -> bytes:
    parts = bytearray()
    rest = (
        value & 0xFFFF_FFFF_FFFF_FFFF
    )  # negative numbers as 64-bit two's complement, as Protocol Buffers do
    while rest > 0x7F:
        parts.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*parts, rest])


def _varint_field(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _message(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _text(number: int, content: str) -> bytes:
    return _message(number, content.encode())
