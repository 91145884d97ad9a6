"""Which file a build was made of, written into the build itself, so that one made of another is not used."""

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from models.errors import ModelError
from models.onnx_file import read_metadata

__all__ = ["Origin", "read_origin", "record_origin"]

SOURCE_KEY, FASTER_KEY = "realtime_source_sha256", "realtime_faster_on"
"""Of ONNX's metadata_props, and of elements in the rt_info of OpenVINO's IR."""
_METADATA_TAG = 14 << 3 | 2
"""ModelProto.metadata_props, which may stand anywhere: StringStringEntryProto, key = 1, value = 2."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a build says of itself."""

    source_sha256: str = ""
    """Of the file that it was made of; "" where it does not say."""
    faster_on: tuple[str, ...] = ()
    """Backends on whose CPU it was clearly faster than that file, where it was made."""


def record_origin(made: Path, origin: Origin) -> None:
    """Write it into `made`, an .onnx or .xml file. Raises OSError, and ParseError where an .xml is none."""
    said = {SOURCE_KEY: origin.source_sha256, FASTER_KEY: " ".join(origin.faster_on)}
    if made.suffix.lower() == ".xml":
        tree = ElementTree.parse(made)
        info = tree.getroot().find("rt_info")
        if info is None:
            info = ElementTree.SubElement(tree.getroot(), "rt_info")
        for key, value in said.items():
            ElementTree.SubElement(info, key, value=value)
        tree.write(made, encoding="utf-8", xml_declaration=True)
        return
    with made.open("ab") as file:
        for key, value in said.items():
            entry = _text(1, key) + _text(2, value)
            file.write(bytes([_METADATA_TAG]) + _size(len(entry)) + entry)


def read_origin(made: Path) -> Origin:
    """What `made` says; nothing where it cannot be read."""
    try:
        if made.suffix.lower() == ".xml":
            info = ElementTree.parse(made).getroot().find("rt_info")
            said = {} if info is None else {each.tag: each.get("value", "") for each in info}
        else:
            said = read_metadata(made)
    except (ModelError, OSError, ElementTree.ParseError):
        return Origin()
    return Origin(said.get(SOURCE_KEY, ""), tuple(said.get(FASTER_KEY, "").split()))


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
