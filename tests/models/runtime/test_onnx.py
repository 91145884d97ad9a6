import numpy as np
import pytest

from models.errors import BackendError
from models.runtime.base import InputSpec, Normalisation
from tests.models.runtime.contract import SessionContract


class TestOnnx(SessionContract):
    backend = "onnx"

    def test_a_picture_of_another_size_is_refused(self, load):
        session = load((1, "h", "w", 3), picture=InputSpec(6, 5, "nhwc", Normalisation(0, 1)))
        with pytest.raises(BackendError, match=r"\(1, 6, 5, 3\)"):
            session.run({"picture": np.zeros((1, 6, 6, 3), np.uint8)})
