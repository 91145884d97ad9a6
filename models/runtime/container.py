"""Is this file a whole model of its kind? Answered before a backend reads it.

The readers of the backends write their complaints about a damaged file to the process's standard error,
past Python, and their exceptions name their own sources. A cut download is found here in a few reads.
"""

from pathlib import Path
from typing import BinaryIO

from models.errors import ModelError

__all__ = ["check_container"]

_TFLITE_IDENTIFIER = b"TFL3"  # file identifier of schema.fbs, at byte 4 of the FlatBuffer
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types of Protocol Buffers


def check_container(path: Path) -> None:
    """Raise ModelError, with the cure, when `path` is missing, empty, cut short or of another kind."""
    try:
        with path.open("rb") as file:
            complaint = _complaint(file, path.suffix.lower(), path.stat().st_size)
    except OSError as error:
        raise ModelError(
            f"the model file {path} cannot be read: {error.strerror or error}",
            "fetch it: realtime models fetch",
        ) from error
    if complaint is not None:
        raise ModelError(
            f"the model file {path} is damaged: {complaint}",
            f"delete it and fetch it again: realtime models fetch {path.stem}",
        )


def _complaint(file: BinaryIO, suffix: str, size_bytes: int) -> str | None:
    if size_bytes == 0:
        return "it is empty"
    if suffix == ".tflite":
        if file.read(8)[4:] != _TFLITE_IDENTIFIER:
            return "it is not a TensorFlow Lite model"
    elif suffix == ".onnx":
        return _onnx_complaint(file, size_bytes)
    elif suffix == ".xml" and not file.read(64).lstrip().startswith(b"<"):
        return "it is not an OpenVINO model"
    return None


def _onnx_complaint(file: BinaryIO, size_bytes: int) -> str | None:
    """Walk the top-level fields of the ModelProto; the last one must end where the file ends."""
    fields = set()
    while file.tell() < size_bytes:
        tag = _varint(file)
        if tag is None or tag >> 3 == 0:
            return "it is not an ONNX model"
        fields.add(tag >> 3)
        wire_type = tag & 7
        skip: int | None
        if wire_type == _VARINT:
            skip = None if _varint(file) is None else 0
        elif wire_type == _BYTES:
            skip = _varint(file)
        else:
            skip = {_FIXED64: 8, _FIXED32: 4}.get(wire_type)
        if skip is None:
            return "it is not an ONNX model"
        if file.tell() + skip > size_bytes:
            return "it is cut short" if 1 in fields else "it is not an ONNX model"
        file.seek(skip, 1)
    # Fields 1 and 7 of onnx.proto's ModelProto: ir_version and graph.
    return None if {1, 7} <= fields else "it is not an ONNX model"


def _varint(file: BinaryIO) -> int | None:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    return None
