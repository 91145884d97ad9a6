import numpy as np
import pytest

from models.embedder import open_embedder
from models.errors import ModelError
from tests.fakes.five import landmarks_at, upright
from tests.fakes.networks_swap import recogniser_network, swapper_network


def test_a_face_has_a_vector_as_it_is_and_one_of_unit_length(tmp_path):
    embedder = open_embedder(recogniser_network(tmp_path / "recogniser.onnx", gain=20))
    points = landmarks_at(upright(200))
    red, grey = (np.full((200, 200, 3), colour, np.uint8) for colour in ((0, 0, 255), (191, 191, 191)))
    raw = embedder.raw(red, points)
    assert (raw.shape, raw.dtype) == ((512,), np.float32)
    assert raw[:3] == pytest.approx([20, -20, -20], abs=1e-3)
    again = embedder.raw(grey, points)
    assert raw[:3] == pytest.approx([20, -20, -20], abs=1e-3), "the next run wrote over it"
    assert embedder.embed(grey, points) == pytest.approx(again / np.linalg.norm(again), abs=1e-6)
    embedder.close()


def test_another_kind_of_network_is_refused(tmp_path):
    with pytest.raises(ModelError, match="one picture in and one vector out"):
        open_embedder(swapper_network(tmp_path / "swapper.onnx", side=112))
