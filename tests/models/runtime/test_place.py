import pytest

from models.runtime.place import Place, parse_place


@pytest.mark.parametrize(
    ("backend", "device", "place"),
    [
        ("openvino", "", Place("openvino")),
        ("openvino", "GPU", Place("openvino", "GPU")),
        ("openvino/GPU.0", "CPU", Place("openvino", "GPU.0")),
        ("onnx/CUDA:1", "", Place("onnx", "CUDA:1")),
        ("tensorrt", "", Place("tensorrt")),
        ("auto", "CPU", Place("auto", "CPU")),
        ("cuda", "", Place("onnx", "CUDA")),
        ("cuda", "1", Place("onnx", "CUDA:1")),
        ("CUDA", "cuda:1", Place("onnx", "CUDA:1")),
        ("directml", "", Place("onnx", "DIRECTML")),
        ("qnn?backend_path=a", "", Place("onnx", "QNN?backend_path=a")),
        ("cann?device_id=1&b=2", "", Place("onnx", "CANN?device_id=1&b=2")),
        ("unheard-of", "X", Place("unheard-of", "X")),
    ],
)
def test_what_a_name_stands_for(backend, device, place):
    assert parse_place(backend, device) == place


def test_a_place_reads_as_it_is_written():
    assert str(Place("openvino", "GPU")) == "openvino/GPU"
    assert parse_place(str(Place("onnx", "CUDA:1"))) == Place("onnx", "CUDA:1")
    assert str(Place("auto")) == "auto"
