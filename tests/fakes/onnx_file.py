"""An ONNX file small enough to write by hand."""

__all__ = ["negating_network"]


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
