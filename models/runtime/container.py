"""Is this file a whole model of its kind? Answered before a backend reads it.

The readers of the backends write their complaints about a damaged file to the process's standard error,
past Python, and their exceptions name their own sources. A cut download is found here in a few reads.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from models.errors import ModelError

__all__ = ["check_container"]

_TFLITE_IDENTIFIER = b"TFL3"  # file identifier of schema.fbs, at byte 4 of the FlatBuffer
_WEB_PAGE = (b"<!doctype html", b"<html")
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types of Protocol Buffers
_GRAPH, _INITIALIZER, _EXTERNAL_DATA = 7, 5, 13
"""Field numbers of onnx.proto: of the graph in a ModelProto, an initializer in it, its external_data."""


def check_container(path: Path) -> None:
    """Raise ModelError, with the cure, when `path` is missing, empty, cut short or of another kind.

    So it does when the weights of an .onnx file lie in a second file that is not there.
    """
    try:
        with path.open("rb") as file:
            complaint = _complaint(file, path.suffix.lower(), path.stat().st_size)
            absent = [] if complaint or path.suffix.lower() != ".onnx" else _absent_weights(file, path)
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
    if absent:
        raise ModelError(
            f"the weights of {path} are in {' and '.join(absent)}, which is missing",
            f"put {' and '.join(absent)} into {path.parent}, or export the model as one file",
        )


def _complaint(file: BinaryIO, suffix: str, size_bytes: int) -> str | None:
    if size_bytes == 0:
        return "it is empty"
    if file.read(512).lstrip().lower().startswith(_WEB_PAGE):
        return "it is a web page, saved under the name of a model"
    file.seek(0)
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
    numbers = set()
    try:
        for number, _, end in _fields(file, size_bytes):
            numbers.add(number)
            if end > size_bytes:
                return "it is cut short" if 1 in numbers else "it is not an ONNX model"
    except ValueError:
        return "it is not an ONNX model"
    return None if {1, _GRAPH} <= numbers else "it is not an ONNX model"


def _absent_weights(file: BinaryIO, path: Path) -> list[str]:
    """The files beside `path` that its initializers name as the place of their data, and that are missing."""
    named: dict[str, None] = {}
    try:
        for location in _locations(file, path.stat().st_size):
            named.setdefault(location)
    except (ValueError, UnicodeDecodeError):
        return []  # damaged within the graph: the backend's reader says how
    return [name for name in named if not (path.parent / name).is_file()]


def _locations(file: BinaryIO, size_bytes: int) -> Iterator[str]:
    file.seek(0)
    for number, start, end in _fields(file, size_bytes):
        if number != _GRAPH:
            continue
        for inner, tensor, tensor_end in _within(file, start, end):
            if inner != _INITIALIZER:
                continue
            for field, entry, entry_end in _within(file, tensor, tensor_end):
                if field == _EXTERNAL_DATA:
                    yield from _location(file, entry, entry_end)


def _location(file: BinaryIO, start: int, end: int) -> Iterator[str]:
    """The value of a StringStringEntryProto whose key is "location"."""
    texts = {}
    for number, text, text_end in _within(file, start, end):
        file.seek(text)
        texts[number] = file.read(text_end - text).decode()
        file.seek(text_end)
    if texts.get(1) == "location" and 2 in texts:
        yield texts[2]


def _within(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    file.seek(start)
    for number, first, last in _fields(file, end):
        if last > end:
            raise ValueError("a field reaches past its message")
        yield number, first, last


def _fields(file: BinaryIO, end: int) -> Iterator[tuple[int, int, int]]:
    """(number, first byte, byte after the last) of each field from here to `end`.

    The caller may move about in `file` between two fields. Raises ValueError where there is no field.
    """
    while file.tell() < end:
        tag = _varint(file)
        if tag is None or tag >> 3 == 0:
            raise ValueError("no tag")
        wire_type = tag & 7
        skip: int | None
        if wire_type == _BYTES:
            skip = _varint(file)
            start = file.tell()
        else:
            start = file.tell()
            if wire_type == _VARINT:
                skip = None if _varint(file) is None else file.tell() - start
            else:
                skip = {_FIXED64: 8, _FIXED32: 4}.get(wire_type)
        if skip is None:
            raise ValueError("no such wire type")
        yield tag >> 3, start, start + skip
        file.seek(start + skip)


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
