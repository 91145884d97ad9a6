"""What an ONNX file says of itself, read without running it and without a package for it.

Only the fields asked for are looked at and the weights passed over: half a gigabyte costs a few reads.
Field numbers are those of onnx.proto; Protocol Buffers' wire format is described at protobuf.dev.
"""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.runtime.base import TensorSpec

__all__ = ["Initialiser", "OnnxFile", "read_initialiser", "read_metadata", "read_onnx", "taken_by_nodes"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MODEL_IR_VERSION, _MODEL_GRAPH, _MODEL_OPSET = 1, 7, 8
_MODEL_METADATA = 14
_GRAPH_NODE, _GRAPH_INITIALISER, _GRAPH_INPUT, _GRAPH_OUTPUT = 1, 5, 11, 12
_NODE_INPUT = 1
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_FLOATS, _TENSOR_NAME = 1, 2, 4, 8
_TENSOR_RAW, _TENSOR_EXTERNAL, _TENSOR_LOCATION = 9, 13, 14
_SIGN_BIT = 1 << 63

# TensorProto.DataType
_DTYPES = dict(
    enumerate(
        (
            *("float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16"),
            *("float64", "uint32", "uint64", "complex64", "complex128", "bfloat16"),
        ),
        start=1,
    )
)


@dataclass(frozen=True, slots=True)
class Initialiser:
    """A constant of the graph, most often weights."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    start: int
    """Where its values begin, in bytes, in this file or in `external`; -1 where they are not in one piece."""
    size_bytes: int
    """-1 where an external file's length is not said: as many as the shape takes."""
    external: str = ""
    """The file beside this one that holds the values; "" when they are in this one."""


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """The head of a model file."""

    inputs: tuple[TensorSpec, ...]
    """What has to be fed: the graph's inputs less its initialisers."""
    outputs: tuple[TensorSpec, ...]
    initialisers: tuple[Initialiser, ...]
    ir_version: int
    opset: int
    """Of the standard operators; 0 where the file does not say."""

    @property
    def external_files(self) -> tuple[str, ...]:
        """The files beside this one that hold weights."""
        return tuple(sorted({each.external for each in self.initialisers if each.external}))


class _Field(NamedTuple):
    number: int
    value: int
    """Of a varint."""
    start: int
    end: int
    """The bytes of a length-delimited field; -1 for a varint."""


class _BrokenError(Exception):
    """The bytes are not what the wire format allows."""


def read_onnx(path: Path) -> OnnxFile:
    """The inputs, outputs and initialisers of the ONNX file `path`; a free dimension is -1.

    Raises ModelError when it cannot be read, is cut short, or is something else.
    """
    try:
        with path.open("rb") as file:
            start = file.read(64)
            if start.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
                raise ModelError(
                    f"{path} is a web page, not a model: a download went wrong",
                    "delete it and fetch the file again, with a tool that says what the server answered",
                )
            if not start:
                raise ModelError(f"{path} is empty, not a model", "delete it and fetch it again")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _model(data)
    except OSError as error:
        raise ModelError(
            f"the model file {path} cannot be read: {error.strerror or error}", "check its name and rights"
        ) from error
    except (_BrokenError, UnicodeDecodeError) as error:
        raise ModelError(
            f"{path} is not a whole ONNX file: {error}", "delete it and fetch or export it again"
        ) from error


def read_initialiser(path: Path, initialiser: Initialiser) -> NDArray[Any]:
    """The values of an initialiser that `read_onnx` found in `path`; they may lie beside it.

    Raises ModelError.
    """
    if initialiser.start < 0:
        raise ModelError(
            f"the values of {initialiser.name!r} in {path} are not in one piece in that file",
            "save the model in one file, with its weights inside",
        )
    dtype = np.dtype(initialiser.dtype).newbyteorder("<")
    expected = dtype.itemsize * int(np.prod(initialiser.shape))
    size_bytes = initialiser.size_bytes if initialiser.size_bytes >= 0 else expected
    if size_bytes != expected:
        raise ModelError(
            f"{initialiser.name!r} in {path} has {size_bytes} bytes, which is not "
            f"{initialiser.shape} {initialiser.dtype}",
            "delete the file and fetch it again",
        )
    holder = _holder(path, initialiser.external)
    try:
        with holder.open("rb") as file:
            file.seek(initialiser.start)
            content = file.read(size_bytes)
    except OSError as error:
        raise ModelError(
            f"the model file {holder} cannot be read: {error.strerror or error}", "check its name and rights"
        ) from error
    if len(content) < size_bytes:
        raise ModelError(f"{holder} is cut short", "delete it and fetch it again")
    return np.frombuffer(content, dtype).reshape(initialiser.shape).astype(initialiser.dtype, copy=False)


def taken_by_nodes(path: Path) -> frozenset[str]:
    """The names of the tensors that some node of the ONNX file `path` takes. Raises ModelError."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return frozenset(_taken(data))
    except (OSError, ValueError, _BrokenError) as error:
        raise ModelError(
            f"{path} is not a whole ONNX file: {error}", "delete it and fetch it again"
        ) from error


def read_metadata(path: Path) -> dict[str, str]:
    """What the maker of the ONNX file `path` wrote of it, by key. Raises ModelError."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            found = {}
            for field in _fields(data, 0, len(data)):
                if field.number == _MODEL_METADATA:
                    pair = {each.number: _text(data, each) for each in _fields(data, field.start, field.end)}
                    found[pair.get(1, "")] = pair.get(2, "")
            return found
    except (OSError, ValueError, _BrokenError) as error:
        raise ModelError(
            f"{path} is not a whole ONNX file: {error}", "delete it and fetch it again"
        ) from error


def _taken(data: mmap.mmap) -> Iterator[str]:
    for graph in _fields(data, 0, len(data)):
        for node in _inside(data, graph, _MODEL_GRAPH):
            for part in _inside(data, node, _GRAPH_NODE):
                if part.number == _NODE_INPUT:
                    yield _text(data, part)


def _holder(path: Path, external: str) -> Path:
    """The file with the values. A name that leads out of the model's folder is none that an export writes."""
    if not external:
        return path
    if Path(external).is_absolute() or ".." in Path(external).parts:
        raise ModelError(
            f"{path} keeps its weights outside its own folder, in {external}",
            "save the model in one file, with its weights inside",
        )
    return path.parent / external


def _model(data: mmap.mmap) -> OnnxFile:
    ir_version = opset = 0
    graph: _Field | None = None
    for field in _fields(data, 0, len(data)):
        if field.number == _MODEL_IR_VERSION:
            ir_version = field.value
        elif field.number == _MODEL_GRAPH:
            graph = field
        elif field.number == _MODEL_OPSET:
            domain, version = _opset(data, field)
            opset = version if domain in ("", "ai.onnx") else opset
    if graph is None or not ir_version:
        raise _BrokenError("it has no graph")
    inputs: list[TensorSpec] = []
    outputs: list[TensorSpec] = []
    initialisers: list[Initialiser] = []
    for field in _fields(data, graph.start, graph.end):
        if field.number == _GRAPH_INPUT:
            inputs.append(_value(data, field))
        elif field.number == _GRAPH_OUTPUT:
            outputs.append(_value(data, field))
        elif field.number == _GRAPH_INITIALISER:
            initialisers.append(_initialiser(data, field))
    constant = {each.name for each in initialisers}
    fed = tuple(spec for spec in inputs if spec.name not in constant)
    return OnnxFile(fed, tuple(outputs), tuple(initialisers), ir_version, opset)


def _opset(data: mmap.mmap, field: _Field) -> tuple[str, int]:
    domain, version = "", 0
    for part in _fields(data, field.start, field.end):
        if part.number == 1:
            domain = _text(data, part)
        elif part.number == 2:
            version = part.value
    return domain, version


def _value(data: mmap.mmap, field: _Field) -> TensorSpec:
    """A ValueInfoProto: name = 1, type = 2; TypeProto: tensor_type = 1; its elem_type = 1, shape = 2."""
    name, dtype = "", "unknown"
    shape: tuple[int, ...] = ()
    for part in _fields(data, field.start, field.end):
        if part.number == 1:
            name = _text(data, part)
        for tensor in _inside(data, part, 2):
            for described in _inside(data, tensor, 1):
                if described.number == 1:
                    dtype = _DTYPES.get(described.value, f"type {described.value}")
                elif described.number == 2:
                    dims = _fields(data, described.start, described.end)
                    shape = tuple(_dimension(data, dim) for dim in dims if dim.number == 1)
    return TensorSpec(name, shape, dtype)


def _inside(data: mmap.mmap, field: _Field, number: int) -> Iterator[_Field]:
    """The fields of `field` if it has this number."""
    if field.number == number:
        yield from _fields(data, field.start, field.end)


def _dimension(data: mmap.mmap, field: _Field) -> int:
    size = next((part.value for part in _fields(data, field.start, field.end) if part.number == 1), -1)
    return size if 0 < size < _SIGN_BIT else -1


def _initialiser(data: mmap.mmap, field: _Field) -> Initialiser:
    name, dtype = "", "unknown"
    shape: list[int] = []
    start, size_bytes, outside = -1, 0, False
    place: dict[str, str] = {}
    for part in _fields(data, field.start, field.end):
        if part.number == _TENSOR_DIMS:
            # Written one by one by most, packed by some.
            shape += [part.value] if part.start < 0 else _packed(data, part)
        elif part.number == _TENSOR_TYPE:
            dtype = _DTYPES.get(part.value, f"type {part.value}")
        elif part.number == _TENSOR_NAME:
            name = _text(data, part)
        elif part.number == _TENSOR_RAW or (part.number == _TENSOR_FLOATS and start < 0):
            start, size_bytes = part.start, part.end - part.start
        elif part.number == _TENSOR_LOCATION:
            outside = part.value == 1
        elif part.number == _TENSOR_EXTERNAL:
            pair = {each.number: _text(data, each) for each in _fields(data, part.start, part.end)}
            place[pair.get(1, "")] = pair.get(2, "")
    if not outside:
        return Initialiser(name, tuple(shape), dtype, start, size_bytes)
    try:
        start, size_bytes = int(place.get("offset", "0")), int(place.get("length", "-1"))
    except ValueError as error:
        raise _BrokenError(f"the place of {name!r} is not a number") from error
    return Initialiser(name, tuple(shape), dtype, start, size_bytes, place.get("location", ""))


def _packed(data: mmap.mmap, field: _Field) -> list[int]:
    values, at = [], field.start
    while at < field.end:
        value, at = _varint(data, at, field.end)
        values.append(value)
    return values


def _text(data: mmap.mmap, field: _Field) -> str:
    return data[field.start : field.end].decode("utf-8")


def _fields(data: mmap.mmap, start: int, end: int) -> Iterator[_Field]:
    at = start
    while at < end:
        tag, at = _varint(data, at, end)
        number, wire_type = tag >> 3, tag & 7
        if number == 0:
            raise _BrokenError(f"byte {at} is not a field")
        if wire_type == _VARINT:
            value, at = _varint(data, at, end)
            yield _Field(number, value, -1, -1)
            continue
        if wire_type == _BYTES:
            size, at = _varint(data, at, end)
        elif wire_type in (_FIXED64, _FIXED32):
            size = 8 if wire_type == _FIXED64 else 4
        else:
            raise _BrokenError(f"byte {at} is not a field")
        if at + size > end:
            raise _BrokenError(f"it is cut short at byte {end}")
        yield _Field(number, 0, at, at + size)
        at += size


def _varint(data: mmap.mmap, at: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            raise _BrokenError(f"it is cut short at byte {end}")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _BrokenError(f"byte {at} is not a number")
