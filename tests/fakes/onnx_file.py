"""An ONNX file small enough to write by hand."""

from collections.abc import Mapping, Sequence

__all__ = ["described_network", "inswapper_network", "negating_network", "placed_network"]

Shape = tuple[int | str, ...]
FLOAT = 1


def negating_network(
    shape: tuple[int | str, ...], *, input_name: str = "picture", output_name: str = "negated"
) -> bytes:
    """A network whose float32 output is the negative of its input; a dimension that is a str is free.

    The numbers of the fields are those of onnx.proto.
    """
    value_type = _message(2, _message(1, _varint_field(1, 1) + _message(2, b"".join(map(_dimension, shape)))))
    node = _text(1, input_name) + _text(2, output_name) + _text(4, "Neg")
    graph = _message(1, node) + _text(2, "toy")
    graph += _message(11, _text(1, input_name) + value_type)
    graph += _message(12, _text(1, output_name) + value_type)
    return _varint_field(1, 8) + _message(7, graph) + _message(8, _text(1, "") + _varint_field(2, 13))


def described_network(
    inputs: Mapping[str, Shape],
    outputs: Mapping[str, Shape],
    initialisers: Mapping[str, tuple[Shape, bytes]] | None = None,
    *,
    opset: int = 13,
    external: str = "",
) -> bytes:
    """A file that says it has these tensors and no operators; it cannot be run.

    `initialisers`: name -> (shape, float32 values), as inputs too, the way files before IR version 4 have
    them; with `external`, their values are said to be in that file.
    """
    weights = dict(initialisers or {})
    graph = _text(2, "said")
    for name, (shape, values) in weights.items():
        dims = b"".join(_varint_field(1, size) for size in shape if isinstance(size, int))
        content = dims + _varint_field(2, FLOAT) + _text(8, name)
        pair = _message(13, _text(1, "location") + _text(2, external)) + _varint_field(14, 1)
        graph += _message(5, content + (pair if external else _message(9, values)))
    fed = dict(inputs) | {name: shape for name, (shape, _) in weights.items()}
    for number, tensors in ((11, fed), (12, outputs)):
        for name, shape in tensors.items():
            dims = b"".join(map(_dimension, shape))
            value_type = _message(2, _message(1, _varint_field(1, FLOAT) + _message(2, dims)))
            graph += _message(number, _text(1, name) + value_type)
    return _varint_field(1, 8) + _message(7, graph) + _message(8, _text(1, "") + _varint_field(2, opset))


def inswapper_network(names: Sequence[str] = ("target", "source"), *, side: int = 128) -> bytes:
    """A file that has what an inswapper has: a picture, a vector and the matrix between them."""
    picture, vector = names
    return described_network(
        {picture: (1, 3, side, side), vector: (1, 512)},
        {"output": (1, 3, side, side)},
        {"weights": ((4, 3), bytes(48)), "buff2fs": ((512, 512), bytes(4 * 512 * 512))},
    )


def placed_network(place: Mapping[str, str]) -> bytes:
    """A file of two float32 values "w" that lie elsewhere: `place` has "location", "offset", "length"."""
    pairs = b"".join(_message(13, _text(1, key) + _text(2, value)) for key, value in place.items())
    weight = _varint_field(1, 2) + _varint_field(2, FLOAT) + _text(8, "w") + pairs + _varint_field(14, 1)
    graph = _text(2, "placed") + _message(5, weight)
    return _varint_field(1, 8) + _message(7, graph) + _message(8, _text(1, "") + _varint_field(2, 13))


def adding_network(weights: str) -> bytes:
    """A network that adds one number, which lies in the file `weights`, to its three."""
    place = _message(13, _text(1, "location") + _text(2, weights))
    addend = _varint_field(1, 1) + _varint_field(2, 1) + _text(8, "addend") + place + _varint_field(14, 1)
    value_type = _message(2, _message(1, _varint_field(1, 1) + _message(2, _dimension(3))))
    node = _text(1, "picture") + _text(1, "addend") + _text(2, "sum") + _text(4, "Add")
    graph = _message(1, node) + _text(2, "toy") + _message(5, addend)
    graph += _message(11, _text(1, "picture") + value_type) + _message(12, _text(1, "sum") + value_type)
    return _varint_field(1, 8) + _message(7, graph) + _message(8, _text(1, "") + _varint_field(2, 13))


def _dimension(size: int | str) -> bytes:
    return _message(1, _text(2, size) if isinstance(size, str) else _varint_field(1, size))


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _varint_field(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _message(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _text(number: int, content: str) -> bytes:
    return _message(number, content.encode())
