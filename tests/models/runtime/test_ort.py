import sys
from types import SimpleNamespace

import onnxruntime
import pytest

from models.errors import BackendError
from models.runtime import ort
from models.runtime.ort import clash, first_line, open_inference, plugin_devices
from models.runtime.providers import PROVIDERS, parse_request
from models.runtime.registry import open_session
from tests.fakes.onnx_file import negating_network


class InferenceSession:
    """ONNX Runtime's, on a machine where only some providers start, however many are listed."""

    starting = ("CPUExecutionProvider",)
    taken: dict[str, int]

    def __init__(self, path, options, enable_fallback=1, providers=()):
        self.began_with_fallback = self.fallback = bool(enable_fallback)
        self.asked = [provider if isinstance(provider, str) else provider[0] for provider in providers]
        type(self).options = dict(providers[0][1]) if providers else {}

    def disable_fallback(self):
        self.fallback = False

    def get_providers(self):
        return [name for name in self.asked if name in self.starting] or ["CPUExecutionProvider"]

    def get_provider_graph_assignment_info(self):
        return [
            SimpleNamespace(ep_name=name, get_nodes=lambda count=count: range(count))
            for name, count in self.taken.items()
        ]


@pytest.fixture
def listed(monkeypatch):
    """Every provider is listed; set `starting` and `taken` for what really happens."""
    names = [provider.ort_name for provider in PROVIDERS.values()]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: names)
    monkeypatch.setattr(onnxruntime, "InferenceSession", InferenceSession)
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda directory: sys.stdout.write("not found"))
    monkeypatch.setattr(InferenceSession, "starting", tuple(names))
    monkeypatch.setattr(InferenceSession, "taken", {}, raising=False)
    ort._preload_cuda.cache_clear()
    yield InferenceSession
    ort._preload_cuda.cache_clear()


def test_a_provider_that_is_listed_but_does_not_start(listed, tmp_path, monkeypatch):
    monkeypatch.setattr(listed, "starting", ("CPUExecutionProvider",))
    for name in ("cuda", "tensorrt", "migraphx"):
        with pytest.raises(BackendError, match="listed but does not start") as caught:
            open_inference(tmp_path / "toy.onnx", parse_request(name), None, {})
        assert "on the CPU" in caught.value.message
        assert "install" in caught.value.hint


def test_a_provider_that_takes_no_layer(listed, tmp_path, monkeypatch):
    monkeypatch.setattr(listed, "taken", {"CPUExecutionProvider": 7})
    with pytest.raises(BackendError, match=r"takes no layer of toy\.onnx: all 7"):
        open_inference(tmp_path / "toy.onnx", parse_request("cuda"), None, {})


def test_a_provider_that_takes_some_layers_says_how_many(listed, tmp_path, monkeypatch, caplog, capfd):
    monkeypatch.setattr(listed, "taken", {"CUDAExecutionProvider": 5, "CPUExecutionProvider": 2})
    with caplog.at_level("INFO", "models.runtime.ort"):
        session = open_inference(tmp_path / "toy.onnx", parse_request("cuda"), None, {})
    assert "5 layers on CUDA, 2 on the CPU" in caplog.text
    assert (session.began_with_fallback, session.fallback) == (False, False)
    assert capfd.readouterr() == ("", "")


def test_threads_do_not_spin_between_two_networks(tmp_path):
    path = tmp_path / "toy.onnx"
    path.write_bytes(negating_network((2, 3)))
    options = open_inference(path, parse_request("CPU"), 1, {}).get_session_options()
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert options.intra_op_num_threads == 1


def test_engines_of_tensorrt_are_kept_in_the_cache_and_cuda_is_beneath(
    listed, tmp_path, monkeypatch, compiled
):
    monkeypatch.setattr(listed, "taken", {"TensorrtExecutionProvider": 1})
    session = open_inference(tmp_path / "toy.onnx", parse_request("tensorrt"), None, {})
    assert session.asked == ["TensorrtExecutionProvider", "CUDAExecutionProvider"]
    assert listed.options["trt_engine_cache_path"].startswith(str(compiled))


@pytest.mark.parametrize("name", ["cuda", "tensorrt", "coreml", "directml", "migraphx", "cann", "qnn", "acl"])
def test_a_provider_that_is_not_in_this_build_is_an_error_and_not_the_cpu(tmp_path, name):
    provider = PROVIDERS[name]
    if provider.ort_name in onnxruntime.get_available_providers():
        pytest.skip(f"this onnxruntime has {provider.ort_name}")
    path = tmp_path / "toy.onnx"
    path.write_bytes(negating_network((2, 3)))
    with pytest.raises(BackendError, match=provider.ort_name) as caught:
        open_session(path, "onnx", device=name)
    assert caught.value.hint == provider.install
    if name != "tensorrt":  # the name alone is the native backend's
        with pytest.raises(BackendError, match=provider.ort_name):
            open_session(path, name)


def test_a_plugin_that_is_not_installed(monkeypatch):
    provider = PROVIDERS["openvino"]
    monkeypatch.setitem(sys.modules, provider.plugin, None)
    with pytest.raises(BackendError, match="cannot be loaded") as caught:
        plugin_devices(provider)
    assert "pip install onnxruntime-ep-openvino" in caught.value.hint


class TestPlugin:
    @pytest.fixture(autouse=True)
    def installed(self, monkeypatch):
        """A plug-in with a CPU, two GPUs and an NPU."""
        self.registered = []
        package = SimpleNamespace(get_library_path=lambda: "/lib.so", get_ep_name=lambda: "Toy")
        monkeypatch.setitem(sys.modules, "toy_ep", package)
        self.provider = type(PROVIDERS["openvino"])("toy", "Toy", "install it", plugin="toy_ep")
        self.devices = [
            SimpleNamespace(ep_name=name, device=SimpleNamespace(type=SimpleNamespace(name=kind)), tag=tag)
            for tag, (name, kind) in enumerate(
                [("Other", "CPU"), ("Toy", "CPU"), ("Toy", "GPU"), ("Toy", "GPU"), ("Toy", "NPU")]
            )
        ]
        monkeypatch.setattr(onnxruntime, "get_ep_devices", lambda: self.devices)
        monkeypatch.setattr(
            onnxruntime, "register_execution_provider_library", lambda *given: self.registered.append(given)
        )
        ort._register.cache_clear()
        yield
        ort._register.cache_clear()

    @pytest.mark.parametrize(
        ("unit", "tags"), [("", [1, 2, 3, 4]), ("gpu", [2, 3]), ("NPU", [4]), ("1", [2])]
    )
    def test_its_devices_are_chosen_by_kind_or_number(self, unit, tags):
        assert [device.tag for device in plugin_devices(self.provider, unit)] == tags

    def test_it_is_registered_once(self):
        plugin_devices(self.provider)
        plugin_devices(self.provider)
        assert self.registered == [("Toy", "/lib.so")]

    def test_no_device_is_told(self):
        self.devices.clear()
        with pytest.raises(BackendError, match="finds no device here"):
            plugin_devices(self.provider)
        with pytest.raises(BackendError, match="finds no device NPU here"):
            plugin_devices(self.provider, "NPU")

    def test_a_library_that_does_not_load_is_told(self, monkeypatch):
        def refuse(*_):
            raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL : libcuda.so.1: cannot open")

        monkeypatch.setattr(onnxruntime, "register_execution_provider_library", refuse)
        with pytest.raises(BackendError, match=r"toy_ep does not start: libcuda\.so\.1"):
            plugin_devices(self.provider)


def test_two_packages_over_each_other_have_a_cure(monkeypatch):
    monkeypatch.setattr(ort, "_installed", lambda name: name in ("onnxruntime", "onnxruntime-gpu"))
    clash.cache_clear()
    try:
        assert clash() == "pip uninstall onnxruntime onnxruntime-gpu, then install the one you want"
        monkeypatch.setattr(ort, "_installed", lambda name: name == "onnxruntime")
        clash.cache_clear()
        assert clash() == ""
    finally:
        clash.cache_clear()


def test_a_missing_provider_is_put_down_to_the_clash(tmp_path, monkeypatch):
    monkeypatch.setattr(ort, "clash", lambda: "pip uninstall both")
    path = tmp_path / "toy.onnx"
    path.write_bytes(negating_network((2, 3)))
    with pytest.raises(BackendError) as caught:
        open_session(path, "onnx/CANN")
    assert caught.value.hint == "pip uninstall both"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("[ONNXRuntimeError] : 1 : FAIL : Load failed.\nmore", "Load failed"),
        ("x failed:/onnxruntime_src/a/b.h:46 void f(const int&, int) Opset 99.", "x failed:Opset 99"),
        ("", "ValueError"),
    ],
)
def test_what_an_exception_says(said, told):
    assert first_line(ValueError(said)) == told
