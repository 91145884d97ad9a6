import sys

import pytest

from models.build.extra import needed, needed_openvino
from models.errors import BackendError


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("onnx", "realtime-face[build]"),
        ("nncf", "realtime-face[build]"),
        ("onnxruntime.quantization", "realtime-face[build,cpu]"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(monkeypatch, module, extra):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(BackendError, match=module.partition(".")[0]) as caught:
        needed(module, "a build in INT8")
    assert extra in caught.value.hint


def test_openvino_comes_without_its_reports():
    assert needed_openvino("a test").Core
    assert sys.modules["openvino_telemetry"] is None
