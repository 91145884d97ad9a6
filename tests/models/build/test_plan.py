from pathlib import Path

import pytest

from models.build.plan import Build, Format, Precision, Target, check_build, default_format, variants
from models.errors import ModelError

EVERY = [
    (Precision.FP16, Target.CPU, Format.ONNX, "x.fp16.onnx"),
    (Precision.FP16, Target.TENSORRT, Format.ONNX, "x.fp16.onnx"),
    (Precision.FP16, Target.CPU, Format.IR, "x.fp16.xml"),
    (Precision.INT8, Target.CPU, Format.ONNX, "x.int8.onnx"),
    (Precision.INT8, Target.CPU, Format.IR, "x.int8.xml"),
    (Precision.INT8, Target.TENSORRT, Format.ONNX, "x.int8-tensorrt.onnx"),
]


@pytest.mark.parametrize(("precision", "target", "format_", "name"), EVERY)
def test_the_result_lies_beside_the_original(precision, target, format_, name):
    build = Build(Path("/models/x.onnx"), precision, target, format_)
    assert build.path == Path("/models") / name
    check_build(build, ())


def test_builds_are_found_by_their_names(tmp_path):
    source = tmp_path / "x.onnx"
    assert variants(source) == ()
    for name in ("x.onnx", "x.fp16.bin", "x.int4.onnx", "y.fp16.onnx", *(name for *_, name in EVERY)):
        (tmp_path / name).touch()
    assert {path.name for path in variants(source)} == {name for *_, name in EVERY}
    assert len(variants(source)) == len({name for *_, name in EVERY})


@pytest.mark.parametrize(
    ("source", "precision", "target", "format_", "forbidden", "told"),
    [
        ("x.onnx", "fp16", "cpu", "onnx", ("fp16",), "forbids"),
        ("x.int8.onnx", "fp16", "cpu", "onnx", (), "a build itself"),
        ("x.int8-tensorrt.onnx", "int8", "cpu", "onnx", (), "a build itself"),
        ("x.onnx", "int8", "tensorrt", "ir", (), "TensorRT"),
        ("x.tflite", "int8", "cpu", "onnx", (), "ONNX"),
    ],
)
def test_what_cannot_be_built_is_said(source, precision, target, format_, forbidden, told):
    build = Build(Path(source), Precision(precision), Target(target), Format(format_))
    with pytest.raises(ModelError, match=told) as caught:
        check_build(build, forbidden)
    assert caught.value.hint


def test_another_precision_than_the_forbidden_one_goes():
    check_build(Build(Path("x.onnx"), Precision.INT8, Target.CPU, Format.ONNX), ("fp16",))


@pytest.mark.parametrize(("name", "format_"), [("x.onnx", "onnx"), ("x.tflite", "ir"), ("x.xml", "ir")])
def test_the_format_follows_the_original(name, format_):
    assert default_format(Path(name)) == format_
