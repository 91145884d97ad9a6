import numpy as np
import pytest

from models.cuda.base import CudaError
from models.cuda.choice import open_cuda
from models.runtime.choice import Outcome, forget, outcome
from models.runtime.overlap import Overlapping, run_each
from models.runtime.place import Place
from models.runtime.registry import open_session
from tests.fakes.networks import tiny_network

pytestmark = pytest.mark.gpu

BUILD_S = 100
TENSORRT = Place("tensorrt", "GPU")


@pytest.fixture
def path(tmp_path, monkeypatch):
    try:
        import tensorrt  # noqa: F401

        open_cuda().close()
    except (ImportError, CudaError) as error:
        pytest.skip(f"no TensorRT on a GPU: {error}")
    monkeypatch.setenv("REALTIME_CACHE", str(tmp_path / "kept"))
    forget()
    yield tiny_network(tmp_path / "tiny.onnx")
    forget()


def feeds_for(session):
    source = np.random.default_rng(0)
    return {spec.name: source.random(spec.shape, np.float32) for spec in session.inputs}


def test_another_place_serves_until_the_engine_is_built(path, caplog):
    session = open_session(path, "auto")
    assert "building a TensorRT engine" in str(outcome(path))
    before = run_each(session, [feeds_for(session)])[0]
    session._thread.join(BUILD_S)
    after = session.run(feeds_for(session))
    assert outcome(path) == Outcome(TENSORRT), caplog.text
    for name, array in before.items():
        np.testing.assert_allclose(after[name], array, rtol=2e-2, atol=2e-3)
    session.close()
    forget()
    again = open_session(path, "auto", depth=2)
    assert isinstance(again, Overlapping), "the engine is there"
    assert len(run_each(again, [feeds_for(again)] * 5)) == 5
    again.close()
