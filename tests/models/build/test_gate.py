import numpy as np
import pytest

from models.build import gate
from models.build.gate import check_agreement, judges, open_reference
from models.entries import Tolerance
from models.errors import BackendError, ModelError
from tests.fakes.networks import scaling_network, tiny_network

SAMPLES = [
    {"picture": np.random.default_rng(number).random((1, 3, 16, 16), dtype=np.float32)} for number in range(3)
]


@pytest.fixture
def original(tmp_path):
    return scaling_network(tmp_path / "original.onnx", 0.5)


def test_the_same_network_passes_on_every_backend(tmp_path, original):
    same = scaling_network(tmp_path / "same.onnx", 2.0, 0.25)
    checked = check_agreement(original, same, SAMPLES, Tolerance(max_abs=1e-6))
    assert [one.backend for one in checked] == ["onnx", "openvino"]
    assert all(one.agreements[0].psnr_db > 100 for one in checked)


def test_a_spoiled_network_is_refused_with_the_figures(tmp_path, original):
    spoiled = scaling_network(tmp_path / "spoiled.onnx", 0.45)
    with pytest.raises(
        ModelError, match=r"original\.onnx is refused.*onnx: result: PSNR 2\d\.\d dB"
    ) as caught:
        check_agreement(original, spoiled, SAMPLES, Tolerance(psnr_db=40))
    assert "openvino: result: PSNR" in caught.value.message
    assert check_agreement(original, spoiled, SAMPLES, Tolerance(psnr_db=20))


def test_the_range_of_the_output_counts(tmp_path, original):
    spoiled = scaling_network(tmp_path / "spoiled.onnx", 0.45)
    check_agreement(original, spoiled, SAMPLES, Tolerance(psnr_db=40), (-5.0, 5.0))


def test_one_bad_picture_among_good_ones_is_seen(tmp_path, original):
    spoiled = scaling_network(tmp_path / "spoiled.onnx", 0.5001)
    bright = [*SAMPLES, {"picture": np.full((1, 3, 16, 16), 1000, np.float32)}]
    check_agreement(original, spoiled, SAMPLES, Tolerance(max_abs=0.01))
    with pytest.raises(ModelError, match=r"max error 0\.1"):
        check_agreement(original, spoiled, bright, Tolerance(max_abs=0.01))


def test_what_overflows_is_refused(tmp_path, original):
    huge = scaling_network(tmp_path / "huge.onnx", 1e30, 1e30)
    with pytest.raises(ModelError, match="not finite"):
        check_agreement(original, huge, SAMPLES, Tolerance(max_abs=1e30))


def test_what_does_not_run_is_refused(tmp_path, original):
    other = scaling_network(tmp_path / "other.onnx", 0.5, side_px=8)
    with pytest.raises(ModelError, match="cannot run it"):
        check_agreement(original, other, SAMPLES, Tolerance())


def test_files_go_to_the_backends_that_read_them(tmp_path):
    assert judges(tmp_path / "x.onnx") == ("onnx", "openvino")
    assert judges(tmp_path / "x.xml") == ("openvino",)
    assert judges(tmp_path / "x.plan") == ()


def test_without_a_backend_that_reads_it(tmp_path, monkeypatch):
    monkeypatch.setattr(gate, "available", lambda: ())
    with pytest.raises(BackendError, match="no backend"):
        open_reference(tiny_network(tmp_path / "x.onnx"))
