"""Which file a build was made of, written into the build itself, so that one made of another is not used."""

from pathlib import Path
from xml.etree import ElementTree

from models.errors import ModelError
from models.onnx_file import read_metadata

__all__ = ["read_origin", "record_origin"]

KEY = "realtime_source_sha256"
"""Of ONNX's metadata_props, and of the element in the rt_info of OpenVINO's IR."""
_METADATA_TAG = 14 << 3 | 2
"""ModelProto.metadata_props, which may stand anywhere: StringStringEntryProto, key = 1, value = 2."""


def record_origin(made: Path, sha256: str) -> None:
    """Write the sha256 of the source into `made`, an .onnx or .xml file. Raises OSError."""
    if made.suffix.lower() == ".xml":
        tree = ElementTree.parse(made)
        info = tree.getroot().find("rt_info")
        if info is None:
            info = ElementTree.SubElement(tree.getroot(), "rt_info")
        ElementTree.SubElement(info, KEY, value=sha256)
        tree.write(made, encoding="utf-8", xml_declaration=True)
        return
    entry = _text(1, KEY) + _text(2, sha256)
    with made.open("ab") as file:
        file.write(bytes([_METADATA_TAG]) + _size(len(entry)) + entry)


def read_origin(made: Path) -> str:
    """The sha256 of the file that `made` was made of; "" where it does not say, or cannot be read."""
    try:
        if made.suffix.lower() != ".xml":
            return read_metadata(made).get(KEY, "")
        found = ElementTree.parse(made).getroot().find(f"rt_info/{KEY}")
        return "" if found is None else found.get("value", "")
    except (ModelError, OSError, ElementTree.ParseError):
        return ""


def _text(number: int, content: str) -> bytes:
    data = content.encode()
    return bytes([number << 3 | 2]) + _size(len(data)) + data


def _size(value: int) -> bytes:
    """A varint of Protocol Buffers."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
