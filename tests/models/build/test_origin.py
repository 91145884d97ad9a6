import hashlib

import numpy as np
import pytest

from models.build.origin import Origin, read_origin, record_origin
from models.onnx_file import read_metadata, read_onnx
from models.runtime.registry import open_session
from tests.fakes.networks import scaling_network

ORIGIN = Origin(hashlib.sha256(b"source").hexdigest(), ("onnx", "openvino"))


def test_an_onnx_file_says_what_it_was_made_of_and_still_runs(tmp_path):
    path = scaling_network(tmp_path / "made.onnx", 2.0, 3.0)
    before = read_onnx(path)
    assert read_origin(path) == Origin()
    record_origin(path, ORIGIN)
    assert read_origin(path) == ORIGIN
    assert read_onnx(path) == before
    for backend in ("onnx", "openvino"):
        session = open_session(path, backend)
        fed = np.ones((1, 3, 16, 16), np.float32)
        assert (session.run({"picture": fed})["result"] == 6).all()
        session.close()


def test_other_packages_read_it(tmp_path):
    onnx = pytest.importorskip("onnx")
    path = scaling_network(tmp_path / "made.onnx", 2.0)
    record_origin(path, ORIGIN)
    told = {each.key: each.value for each in onnx.load(str(path)).metadata_props}
    assert told == read_metadata(path)
    assert list(told.values()) == [ORIGIN.source_sha256, "onnx openvino"]


def test_an_ir_says_what_it_was_made_of_and_still_runs(tmp_path):
    import openvino

    import models.runtime.openvino  # noqa: F401  # before openvino: it keeps it from reporting its import

    source = scaling_network(tmp_path / "source.onnx", 2.0, 3.0)
    path = tmp_path / "made.xml"
    openvino.save_model(openvino.Core().read_model(source), path)
    assert read_origin(path) == Origin()
    record_origin(path, ORIGIN)
    assert read_origin(path) == ORIGIN
    session = open_session(path, "openvino")
    assert (session.run({"picture": np.ones((1, 3, 16, 16), np.float32)})["result"] == 6).all()
    session.close()


@pytest.mark.parametrize("name", ["made.onnx", "made.xml"])
@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff\xff\xff", None])
def test_what_cannot_be_read_says_nothing(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert read_origin(tmp_path / name) == Origin()
