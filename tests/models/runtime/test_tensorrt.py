"""The session on stand-ins of CUDA and TensorRT; tests/gpu runs it on the real ones."""

import hashlib
import importlib
import json
import threading
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.cuda.base import DeviceLostError
from models.engines import builder
from models.engines.cache import EngineCache, EngineMissingError
from models.engines.in_use import delete_unused
from models.engines.profile import Range
from models.errors import BackendError, ModelError
from models.runtime.base import InputSpec, Normalisation
from models.runtime.registry import open_session
from tests.fakes.cuda_library import pretend_library
from tests.fakes.cudart import Code, FakeCudart
from tests.fakes.onnx_file import adding_network, negating_network
from tests.fakes.tensorrt import DataType, FakeTensorRT, pretend_tensorrt


@pytest.fixture
def cudart(monkeypatch):
    cudart = FakeCudart()
    pretend_library("cuda-bindings", cudart, monkeypatch)
    return cudart


@pytest.fixture
def trt(cudart, monkeypatch):
    trt = FakeTensorRT(cudart)
    pretend_tensorrt(trt, monkeypatch)
    return trt


@pytest.fixture
def network(tmp_path):
    """Write a network that negates an input of the given shape."""

    def write(shape=(2, 3)):
        path = tmp_path / "toy.onnx"
        path.write_bytes(negating_network(shape))
        return path

    return write


@pytest.fixture
def load(trt, cudart, network, tmp_path):
    """Open a session of a negating network; closed after the test."""
    opened = []
    session_type = importlib.import_module("models.runtime.tensorrt").TensorRTSession

    def build(request, paths, progress, stop):
        builder.build(json.loads(request.line(paths)), trt.module, progress)

    def load(shape=(2, 3), **options):
        options.setdefault("build", build)
        options.setdefault("cache", EngineCache(tmp_path / "engines"))
        opened.append(session_type(network(shape), **options))
        return opened[-1]

    yield load
    cudart.lost = None
    for session in opened:
        session.close()
    opened.clear()
    assert cudart.problems == []
    assert cudart.device_memory == {}


def _write(path, data):
    path.write_bytes(data)


def ones(value=1.0, shape=(2, 3)):
    return {"picture": np.full(shape, value, np.float32)}


def test_names_shapes_and_values(load):
    session = load()
    assert [(spec.name, spec.shape, spec.dtype) for spec in session.inputs] == [
        ("picture", (2, 3), "float32")
    ]
    assert [(spec.name, spec.shape, spec.dtype) for spec in session.outputs] == [
        ("negated", (2, 3), "float32")
    ]
    fed = np.arange(6, dtype=np.float32).reshape(2, 3)
    for _ in range(4):
        np.testing.assert_array_equal(session.run({"picture": fed})["negated"], -fed)
        fed += 5


def test_arrays_of_another_type_or_layout_are_taken(load):
    session = load()
    for fed in (np.arange(6.0).reshape(2, 3), np.arange(6, dtype=np.float32).reshape(3, 2).T):
        np.testing.assert_array_equal(session.run({"picture": fed})["negated"], -fed)


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
@pytest.mark.parametrize("order", ["rgb", "bgr"])
@pytest.mark.parametrize(("mean", "scale"), [(127.5, 127.5), (0.0, 255.0)])
@pytest.mark.parametrize("free", [False, True])
def test_a_picture_is_prepared_in_pinned_memory(load, layout, order, mean, scale, free):
    height, width = ("height", "width") if free else (6, 5)
    shape = (1, height, width, 3) if layout == "nhwc" else (1, 3, height, width)
    session = load(shape, picture=InputSpec(6, 5, layout, Normalisation(mean, scale, order)))
    assert [(spec.shape, spec.dtype) for spec in session.inputs] == [((1, 6, 5, 3), "uint8")]
    bgr = np.random.default_rng(0).integers(0, 256, (1, 6, 5, 3), dtype=np.uint8)
    channels = bgr[..., ::-1] if order == "rgb" else bgr
    expected = -(channels.astype(np.float32) - mean) / scale
    if layout == "nchw":
        expected = expected.transpose(0, 3, 1, 2)
    np.testing.assert_allclose(session.run({"picture": bgr})["negated"], expected, rtol=1e-5, atol=1e-5)
    with pytest.raises(BackendError, match=r"\(1, 6, 5, 3\) uint8, not \(1, 6, 6, 3\)"):
        session.run({"picture": np.zeros((1, 6, 6, 3), np.uint8)})


@pytest.mark.parametrize("shape", [(1, 7, 5, 3), (1, 3)])
def test_a_network_that_takes_no_such_picture(load, shape):
    with pytest.raises(ModelError, match=r"toy\.onnx has no picture input"):
        load(shape, picture=InputSpec(6, 5, "nhwc", Normalisation(0, 1)))


def test_a_free_batch_is_one_unless_a_range_is_asked_for(load, trt):
    assert load(("batch", 3)).inputs[0].shape == (1, 3)
    session = load(("batch", 3), shapes={"picture": Range((1, 3), (2, 3), (4, 3))})
    assert session.inputs[0].shape == session.outputs[0].shape == (-1, 3)
    assert trt.built[-1]["profiles"] == [{"picture": [[1, 3], [2, 3], [4, 3]]}]
    for batch in (1, 4, 4, 4, 2, 2, 2):
        fed = ones(batch, (batch, 3))
        result = session.run(fed)["negated"]
        assert result.shape == (batch, 3)
        np.testing.assert_array_equal(result, -fed["picture"])
    with pytest.raises(BackendError, match=r"from \(1, 3\) to \(4, 3\), not \(5, 3\)"):
        session.run(ones(1, (5, 3)))


def test_another_free_dimension_must_be_given(load):
    with pytest.raises(BackendError, match="how large it can be") as caught:
        load((1, "length"))
    assert "smallest" in caught.value.hint


@pytest.mark.parametrize("feeds", [{}, {"picture": np.zeros((9, 9, 9), np.float32)}])
def test_wrong_feeds_are_told_and_the_session_goes_on(load, feeds):
    session = load()
    with pytest.raises(BackendError, match=r"toy\.onnx"):
        session.run(feeds)
    assert session.run(ones())["negated"].max() == -1


def test_two_frames_in_flight(load, cudart):
    session = load(depth=2)
    session.warmup()
    assert session.uses_graphs
    first = session.submit(ones(1))
    second = session.submit(ones(2))
    with pytest.raises(RuntimeError, match="2 frames are in flight"):
        session.submit(ones(3))
    with pytest.raises(RuntimeError, match="collect them first"):
        session.run(ones(3))
    one, two = session.collect(), session.collect()
    assert (one.sequence, two.sequence) == (first, second)
    assert (one.outputs["negated"].max(), two.outputs["negated"].max()) == (-1, -2)
    uploads, computes = cudart.spans("upload")[-2:], cudart.spans("compute")[-2:]
    assert uploads[1][0] < computes[0][1] <= computes[1][0]


def test_one_context_for_each_slot(load, trt, cudart):
    session = load(depth=2)
    session.warmup()
    names = cudart.names()
    assert names.count("cudaStreamBeginCapture") == 2
    computed = [call[1] for call in cudart.calls if call[0] == "compute"]
    assert len(set(computed)) == 1, "in one stream: one frame is computed at a time"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.booleans(), max_size=30), depth=st.integers(1, 3))
def test_any_order_of_submit_and_collect_keeps_numbers(load, steps, depth):
    session = load(depth=depth)
    sent = got = 0
    for submit in steps:
        if submit and sent - got < depth:
            assert session.submit(ones(sent)) == sent
            sent += 1
        elif not submit and sent > got:
            result = session.collect()
            assert (result.sequence, result.outputs["negated"].max()) == (got, -got)
            got += 1
    session.close()


def test_with_pycuda(load, cudart, monkeypatch):
    pretend_library("pycuda", cudart, monkeypatch)
    session = load(depth=2, library="pycuda")
    session.warmup()
    session.submit(ones(1))
    session.submit(ones(2))
    assert [session.collect().outputs["negated"].max() for _ in range(2)] == [-1, -2]
    assert not session.uses_graphs
    assert "Device.retain_primary_context" in cudart.names()


def test_capture_that_fails_costs_nothing_but_speed(load, cudart):
    cudart.graphs_work = False
    session = load()
    for value in range(4):
        assert session.run(ones(value))["negated"].max() == -value
    assert not session.uses_graphs


def test_a_frame_that_cannot_be_enqueued(load, trt):
    session = load()
    session.run(ones())
    trt.broken.add("enqueue")
    with pytest.raises(BackendError, match=r"enqueueing a frame \(toy.onnx\): \[executionContext\]"):
        session.run(ones())
    trt.broken.clear()
    assert session.run(ones(7))["negated"].max() == -7


def test_a_lost_device_ends_the_session_at_once_and_for_good(load, cudart, trt):
    session = load(depth=2)
    session.submit(ones())
    cudart.lost = Code.cudaErrorIllegalAddress
    with pytest.raises(DeviceLostError, match="can no longer be used") as caught:
        session.collect()
    assert caught.value.exit_code == 4
    cudart.lost = None
    with pytest.raises(DeviceLostError):
        session.run(ones())


def test_an_enqueue_that_fails_because_the_device_is_lost(load, cudart, trt):
    session = load()
    trt.broken.add("enqueue")
    cudart.failing["cudaStreamSynchronize"] = Code.cudaErrorLaunchFailure
    with pytest.raises(DeviceLostError, match="cudaErrorLaunchFailure"):
        session.run(ones())


def test_closing_lets_go_of_tensorrt_before_its_memory(load, cudart):
    session = load(depth=2)
    session.warmup()
    kept = session.run(ones(3))["negated"]
    cudart.calls.clear()
    session.close()
    names = cudart.names()
    kinds = [name for index, name in enumerate(names) if index == 0 or names[index - 1] != name]
    assert kinds[:6] == [
        "cudaStreamSynchronize",
        "cudaGraphExecDestroy",
        "context freed",
        "engine freed",
        "cudaEventDestroy",
        "cudaStreamDestroy",
    ]
    assert kinds[6] == "cudaFree"
    session.close()
    assert cudart.names() == names
    assert kept.max() == -3, "a result outlives its session"
    with pytest.raises(BackendError, match="closed"):
        session.run(ones())


def test_another_thread_may_take_the_session_over(load, cudart):
    session = load()
    results = []
    cudart.calls.clear()
    thread = threading.Thread(target=lambda: results.append(session.run(ones(5))["negated"].max()))
    thread.start()
    thread.join(5)
    assert results == [-5]
    assert cudart.names()[0] == "cudaSetDevice"


def test_the_second_session_takes_the_engine_from_the_cache(load, trt):
    load().close()
    load().close()
    assert len(trt.built) == 1
    load((3, 3)).close()
    assert len(trt.built) == 2, "another model, another engine"


def test_an_engine_is_not_cleared_away_while_a_session_runs_it(load, tmp_path):
    session = load()
    (engine,) = (tmp_path / "engines").glob("*.engine")
    assert not delete_unused(engine)
    session.close()
    assert delete_unused(engine)


def test_without_a_build_an_engine_that_is_not_there_is_missing(load, trt):
    with pytest.raises(EngineMissingError, match=r"no TensorRT engine of toy\.onnx yet"):
        load(build=None)
    assert trt.built == []
    load().close()
    assert load(build=None).run(ones())["negated"].max() == -1


def test_without_a_build_an_engine_that_is_not_taken_is_missing_and_not_kept(load, trt, tmp_path):
    load().close()
    (engine,) = (tmp_path / "engines").glob("*.engine")
    head, _ = engine.read_bytes().split(b"}\n", 1)
    plan = b"a plan of another driver"
    engine.write_bytes(head + b"}\n" + hashlib.sha256(plan).hexdigest().encode() + b"\n" + plan)
    with pytest.raises(EngineMissingError):
        load(build=None)
    assert not engine.exists()


def test_weights_beside_the_model_call_for_another_engine(load, network):
    module = importlib.import_module("models.engines.tensorrt")
    path = network().with_name("split.onnx")
    path.write_bytes(adding_network("split.weights"))
    names = set()
    for content in (b"1234", b"1235"):
        path.with_name("split.weights").write_bytes(content)
        wanted = module.order(path, "GPU", None, None)
        wanted.cuda.close()
        names.add(wanted.key.name())
    assert len(names) == 2


def test_a_plan_that_does_not_load_is_built_anew(load, trt, tmp_path, network, caplog):
    load().close()
    module = importlib.import_module("models.engines.tensorrt")
    cache = EngineCache(tmp_path / "engines")
    wanted = module.order(network(), "GPU", None, None)
    cache.discard(wanted.key)
    cache.ensure(wanted.key, lambda paths: _write(paths.plan, b"a plan of another driver"))
    session = load()
    assert session.run(ones())["negated"].max() == -1
    assert len(trt.built) == 2
    assert "building it anew" in caplog.text


def test_an_engine_that_is_never_taken_is_told_and_not_kept(load, trt, tmp_path):
    def build(request, paths, progress, stop):
        paths.plan.write_bytes(b"no plan at all")

    with pytest.raises(BackendError, match=r"does not take the engine .* Version tag does not match"):
        load(build=build)
    assert not list((tmp_path / "engines").glob("*.engine"))


def test_whether_an_engine_is_there(load, trt, network, tmp_path):
    module = importlib.import_module("models.engines.tensorrt")
    ask = partial(module.is_built, network(), cache=EngineCache(tmp_path / "engines"))
    assert not ask()
    load().close()
    assert ask()
    trt.module.__version__ = "11.5.0.1"
    assert not ask(), "an engine is of one version"


@pytest.mark.parametrize("version", ["10.11.0", "8.6.1", "12.0.0"])
def test_versions_that_it_does_not_speak_to(load, trt, version):
    trt.module.__version__ = version
    with pytest.raises(BackendError, match=version) as caught:
        load()
    assert "tensorrt-cu13" in caught.value.hint


@pytest.mark.parametrize("version", ["10.12.0.36", "10.16.1.11", "11.4.0.106"])
def test_versions_that_it_speaks_to(load, trt, version):
    trt.module.__version__ = version
    assert load().run(ones())["negated"].max() == -1


def test_what_tensorrt_cannot_do_is_told(load, trt):
    trt.broken.add("runtime")
    with pytest.raises(BackendError, match="finds no GPU"):
        load()
    trt.broken = {"context"}
    with pytest.raises(BackendError, match="want of GPU memory"):
        load()
    trt.broken.clear()
    trt.output_type = DataType.BF16
    with pytest.raises(BackendError, match="numpy does not know"):
        load()
    trt.output_type = DataType.FLOAT
    trt.data_dependent = True
    with pytest.raises(BackendError, match="depends on what it is fed"):
        load()


def test_want_of_gpu_memory_leaves_nothing_behind(load, cudart):
    cudart.failing["cudaMalloc"] = Code.cudaErrorMemoryAllocation
    with pytest.raises(BackendError, match="cudaErrorMemoryAllocation"):
        load(depth=2)
    assert cudart.device_memory == cudart.pinned_memory == {}


@pytest.mark.parametrize("device", ["CPU", "NPU7"])
def test_an_unknown_device(load, device):
    with pytest.raises(BackendError, match=f"'{device}'") as caught:
        load(device=device)
    assert "CPU" in caught.value.hint


def test_the_registry_opens_it(trt, cudart, network, tmp_path, monkeypatch, load):
    load().close()
    monkeypatch.setattr("models.engines.cache.kept_folder", lambda *_: tmp_path / "engines")
    session = open_session(network(), "tensorrt")
    assert session.run(ones())["negated"].max() == -1
    session.close()
