import numpy as np
import pytest

from models.errors import BackendError
from models.runtime.base import TensorSpec
from models.runtime.proof import blank, noise, prove
from tests.fakes.session import ConstantSession

SPECS = (
    TensorSpec("picture", (1, -1, 4, 3), "uint8"),
    TensorSpec("embedding", (-1, 8), "float32"),
    TensorSpec("count", (), "int64"),
)


def test_a_free_dimension_counts_as_one_and_a_pictures_side_as_64():
    assert {name: array.shape for name, array in blank(SPECS).items()} == {
        "picture": (1, 64, 4, 3),
        "embedding": (1, 8),
        "count": (),
    }
    assert not any(array.any() for array in blank(SPECS).values())


def test_noise_is_of_the_type_of_its_input_and_the_same_each_time():
    first, second = noise(SPECS), noise(SPECS)
    assert [(name, array.dtype.name) for name, array in first.items()] == [
        ("picture", "uint8"),
        ("embedding", "float32"),
        ("count", "int64"),
    ]
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
    assert first["picture"].max() > 1
    assert 0 < first["embedding"].max() < 1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_counted(bad):
    session = ConstantSession({"mask": np.array([0, bad, 1], np.float32)}, inputs={"picture": (1, 2, 2, 3)})
    with pytest.raises(BackendError, match="toy computes 1 of 3 values of 'mask'"):
        prove(session, "toy")


def test_numbers_pass_and_whole_numbers_are_not_looked_at():
    session = ConstantSession({"ids": np.arange(3), "mask": np.ones(3)}, inputs={"picture": (1, 2, 2, 3)})
    prove(session, "toy")
    assert session.warmed == 1
    assert session.fed[0]["picture"].any()
