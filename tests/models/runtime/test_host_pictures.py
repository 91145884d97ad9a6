import numpy as np
import pytest

from models.errors import BackendError, ModelError, SwapError
from models.runtime.base import EACH, InputSpec, Normalisation, PictureOut
from models.runtime.host_pictures import HostPictures, take_on_host
from models.runtime.registry import open_session
from tests.fakes.onnx_file import negating_network

TAKEN = InputSpec(4, 6, "nchw", Normalisation((10.0, 20.0, 30.0), (1.0, 2.0, 4.0), "rgb"), EACH)
GIVEN = PictureOut((-255.0, 0.0), "rgb")
PICTURES = np.random.default_rng(0).integers(0, 256, (3, 4, 6, 3), np.uint8)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "negating.onnx"
    path.write_bytes(negating_network(("n", 3, 4, 6)))
    return path


def answer(pictures):
    """What the negating network makes of them, by the specifications alone."""
    rgb = (pictures[..., ::-1].astype(np.float64) - (10, 20, 30)) / (1, 2, 4)
    return np.clip(-rgb + 255, 0, 255)[..., ::-1]


def test_openvinos_cpu_has_its_pictures_prepared_here(path):
    session = open_session(path, "openvino", picture=TAKEN, picture_out=GIVEN)
    assert isinstance(session, HostPictures)
    assert session.inputs[0].shape == (-1, 4, 6, 3)
    assert (session.inputs[0].dtype, session.outputs[0].dtype) == ("uint8", "uint8")
    assert session.outputs[0].shape == (-1, 4, 6, 3)
    session.warmup()
    for count in (3, 1, 2):
        given = session.run({"picture": PICTURES[:count]})["negated"]
        assert (given.shape, given.dtype) == ((count, 4, 6, 3), np.uint8)
        assert np.abs(given - answer(PICTURES[:count])).max() <= 0.51
    session.close()
    session.close()
    with pytest.raises(BackendError, match="closed"):
        session.run({"picture": PICTURES})


def test_it_agrees_with_the_graphs_own_preparation(path):
    one = InputSpec(4, 6, "nchw", TAKEN.normalisation)
    within = open_session(path, "openvino", picture=one, picture_out=GIVEN)
    here = open_session(path, "openvino", picture=TAKEN, picture_out=GIVEN)
    assert not isinstance(within, HostPictures)
    a, b = (session.run({"picture": PICTURES[:1]})["negated"] for session in (within, here))
    assert np.abs(a.astype(int) - b).max() <= 1
    within.close()
    here.close()


def test_a_fixed_batch_stays_one(tmp_path):
    path = tmp_path / "one.onnx"
    path.write_bytes(negating_network((1, 3, 4, 6)))
    session = open_session(path, "openvino", picture=TAKEN)
    assert session.inputs[0].shape == (1, 4, 6, 3)
    assert session.outputs[0].dtype == "float32"
    with pytest.raises(BackendError, match=r"takes \(1, 4, 6, 3\) uint8"):
        session.run({"picture": PICTURES})
    session.close()


@pytest.mark.parametrize(
    "fed",
    [{}, {"picture": PICTURES.astype(np.float32)}, {"picture": PICTURES[:, :3]}, {"picture": PICTURES[:0]}],
)
def test_what_is_no_such_picture_is_refused(path, fed):
    session = open_session(path, "openvino", picture=TAKEN)
    with pytest.raises(BackendError, match="negating"):
        session.run(fed)
    session.close()


def test_pictures_without_a_size_of_their_own_are_left_to_the_graph(tmp_path):
    path = tmp_path / "free.onnx"
    path.write_bytes(negating_network(("n", 3, "h", "w")))
    bare = open_session(path, "openvino")
    assert take_on_host(bare, TAKEN, GIVEN, "free") is None
    with pytest.raises(BackendError, match="closed"):
        bare.run({"picture": np.zeros((1, 3, 4, 6), np.float32)})
    session = open_session(path, "openvino", picture=TAKEN, picture_out=GIVEN)
    assert not isinstance(session, HostPictures)
    assert np.abs(session.run({"picture": PICTURES})["negated"] - answer(PICTURES)).max() <= 1
    session.close()


def test_a_network_that_takes_no_such_picture_is_closed(path):
    bare = open_session(path, "openvino")
    with pytest.raises(ModelError, match="no picture input of the shape"):
        take_on_host(bare, InputSpec(9, 9, "nchw", TAKEN.normalisation, EACH), GIVEN, "negating")
    with pytest.raises(BackendError, match="closed"):
        bare.run({"picture": np.zeros((1, 3, 4, 6), np.float32)})


def test_numbers_that_are_none_are_those_pictures_faults(path):
    bare = open_session(path, "openvino")
    session = HostPictures(Broken(bare), TAKEN, GIVEN, "broken")
    session.warmup()
    with pytest.raises(SwapError, match="no numbers") as caught:
        session.run({"picture": PICTURES})
    assert caught.value.faces == (1,)
    session.close()


class Broken:
    """A session whose second picture comes out as no numbers, and its first, of zeros, too."""

    def __init__(self, session):
        self.session, self.inputs, self.outputs = session, session.inputs, session.outputs
        self.close = session.close

    def run(self, feeds):
        results = self.session.run(feeds)
        made = np.array(results["negated"])
        made[min(1, len(made) - 1), 0, 0, 0] = np.nan
        return {"negated": made}
