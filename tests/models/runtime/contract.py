"""What every session does, whatever runs it."""

import numpy as np
import pytest

from models.errors import BackendError, ModelError
from models.runtime.base import InputSpec, Normalisation
from models.runtime.proof import prove
from models.runtime.registry import open_session
from tests.fakes.onnx_file import negating_network

__all__ = ["SessionContract"]


class SessionContract:
    """Subclasses name the backend."""

    backend: str

    @pytest.fixture
    def load(self, tmp_path):
        """Open a network that negates an input of the given shape; closed after the test."""
        sessions = []

        def load(shape, **options):
            path = tmp_path / "toy.onnx"
            path.write_bytes(negating_network(shape))
            sessions.append(open_session(path, self.backend, **options))
            return sessions[-1]

        yield load
        for session in sessions:
            session.close()

    def test_names_shapes_and_values(self, load):
        session = load((2, 3))
        assert [(spec.name, spec.shape, spec.dtype) for spec in session.inputs] == [
            ("picture", (2, 3), "float32")
        ]
        assert [(spec.name, spec.shape, spec.dtype) for spec in session.outputs] == [
            ("negated", (2, 3), "float32")
        ]
        fed = np.arange(6, dtype=np.float32).reshape(2, 3)
        np.testing.assert_array_equal(session.run({"picture": fed})["negated"], -fed)

    def test_an_array_changed_in_place_is_read_again(self, load):
        session = load((2, 3))
        fed = np.zeros((2, 3), np.float32)
        session.run({"picture": fed})
        fed += 5
        np.testing.assert_array_equal(session.run({"picture": fed})["negated"], -fed)

    def test_arrays_of_another_type_or_layout_are_taken(self, load):
        session = load((2, 3))
        for fed in (
            np.arange(6.0).reshape(2, 3),
            np.arange(6, dtype=np.float32).reshape(3, 2).T,
            np.ones((2, 3)),
        ):
            np.testing.assert_array_equal(session.run({"picture": fed})["negated"], -fed)

    def test_a_free_dimension_follows_the_input(self, load):
        session = load(("batch", 3))
        assert session.outputs[0].shape == (-1, 3)
        first = session.run({"picture": np.ones((1, 3), np.float32)})["negated"]
        second = session.run({"picture": np.ones((4, 3), np.float32)})["negated"]
        assert (first.shape, second.shape) == ((1, 3), (4, 3))

    @pytest.mark.parametrize("layout", ["nhwc", "nchw"])
    @pytest.mark.parametrize("order", ["rgb", "bgr"])
    @pytest.mark.parametrize(("mean", "scale"), [(127.5, 127.5), (0.0, 255.0), (0.0, 1.0)])
    @pytest.mark.parametrize("free", [False, True])
    def test_a_picture_is_prepared_by_the_session(self, load, layout, order, mean, scale, free):
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

    @pytest.mark.parametrize("shape", [(1, 7, 5, 3), (1, 3)])
    def test_a_network_that_takes_no_such_picture(self, load, shape):
        with pytest.raises(ModelError, match=r"toy\.onnx"):
            load(shape, picture=InputSpec(6, 5, "nhwc", Normalisation(0, 1)))

    @pytest.mark.parametrize(
        "feeds", [{}, *({"picture": np.zeros(shape, np.float32)} for shape in [(9, 9, 9), (1, 3), (3,), ()])]
    )
    def test_wrong_feeds_are_told(self, load, feeds):
        session = load((2, 3))
        with pytest.raises(BackendError, match=r"toy\.onnx"):
            session.run(feeds)
        assert session.run({"picture": np.ones((2, 3), np.float32)})["negated"].max() == -1

    def test_an_unknown_device(self, load):
        with pytest.raises(BackendError, match="'NPU7'") as caught:
            load((2, 3), device="NPU7")
        assert "CPU" in caught.value.hint

    def test_a_model_whose_inside_is_broken(self, tmp_path, capfd):
        path = tmp_path / "toy.onnx"
        path.write_bytes(negating_network((2, 3)).replace(b"Neg", b"Nag"))
        with pytest.raises((ModelError, BackendError), match=r"toy\.onnx"):
            open_session(path, self.backend)
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("shape", [(2, 3), ("batch", 3)])
    def test_warming_up_runs_it_whatever_its_shape(self, load, shape):
        session = load(shape)
        session.warmup()
        fed = np.ones((2, 3), np.float32)
        np.testing.assert_array_equal(session.run({"picture": fed})["negated"], -fed)

    def test_warming_up_a_closed_session_fails(self, load):
        session = load((2, 3))
        session.close()
        with pytest.raises(BackendError, match="closed"):
            session.warmup()

    def test_outputs_are_written_to_the_same_array(self, load):
        session = load((2, 3))
        first = session.run({"picture": np.zeros((2, 3), np.float32)})["negated"]
        second = session.run({"picture": np.ones((2, 3), np.float32)})["negated"]
        assert first is second

    def test_a_picture_fixes_the_shapes_that_the_network_leaves_free(self, load):
        session = load((1, 3, "height", "width"), picture=InputSpec(6, 5, "nchw", Normalisation(0, 1)))
        assert session.outputs[0].shape == (1, 3, 6, 5)

    def test_what_is_no_number_is_found_by_the_proof(self, tmp_path):
        path = tmp_path / "log.onnx"
        path.write_bytes(negating_network((1, 6, 5, 3)).replace(b"Neg", b"Log"))
        session = open_session(path, self.backend, picture=InputSpec(6, 5, "nhwc", Normalisation(127.5, 1)))
        with pytest.raises(BackendError, match="no numbers"):
            prove(session, "log.onnx")
        session.close()

    def test_operators_of_the_future_are_refused_with_the_cure_or_run(self, tmp_path, capfd):
        path = tmp_path / "toy.onnx"
        path.write_bytes(negating_network((2, 3))[:-1] + bytes([99]))
        try:
            session = open_session(path, self.backend)
        except ModelError as error:
            cure = error.hint
        else:
            prove(session, "toy.onnx")
            session.close()
            cure = "none is needed: an older operator set"
        assert "older operator set" in cure
        assert capfd.readouterr() == ("", "")

    def test_closing_twice_and_running_after(self, load):
        session = load((2, 3), threads=1)
        session.close()
        session.close()
        with pytest.raises(BackendError, match="closed"):
            session.run({"picture": np.ones((2, 3), np.float32)})
