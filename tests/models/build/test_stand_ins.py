from dataclasses import replace

import numpy as np
import pytest

from models.build.stand_ins import STAND_INS, StandIn, write_stand_in
from models.runtime.registry import open_session

STYLED = StandIn("styled", "", 16, (4, 8), 2, styled=True, skips=False)
SKIPPING = StandIn("skipping", "", 16, (4, 8, 8), 1, styled=False, skips=True)


def run(path, backend="onnx", **feeds):
    session = open_session(path, backend)
    try:
        return session.run(feeds)["result"].copy()
    finally:
        session.close()


@pytest.fixture
def picture():
    return np.random.default_rng(1).random((1, 3, 16, 16), dtype=np.float32)


def identity(number):
    drawn = np.random.default_rng(number).standard_normal((1, 512)).astype(np.float32)
    return drawn / np.linalg.norm(drawn)


def test_the_same_bytes_every_time(tmp_path):
    for name in ("one", "other"):
        write_stand_in(STYLED, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_a_styled_one_draws_another_picture_for_another_identity(tmp_path, picture):
    write_stand_in(STYLED, tmp_path / "x.onnx")
    one, again, other = (run(tmp_path / "x.onnx", picture=picture, identity=identity(n)) for n in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.01


def test_the_backends_agree(tmp_path, picture):
    write_stand_in(SKIPPING, tmp_path / "x.onnx")
    one, other = (run(tmp_path / "x.onnx", backend, picture=picture) for backend in ("onnx", "openvino"))
    assert one.shape == (1, 3, 16, 16)
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_skips_widen_the_way_up(tmp_path):
    """Each step up takes what the step down had beside what comes from below: 8 and 4 channels more."""
    without = write_stand_in(replace(SKIPPING, skips=False), tmp_path / "x.onnx")
    more = 2 * 9 * (8 * 8 * 8 * 8 + 4 * 4 * 16 * 16)
    assert write_stand_in(SKIPPING, tmp_path / "y.onnx") == pytest.approx(without + more / 1e9)


def test_the_cost_is_that_of_its_convolutions(tmp_path):
    """Two operations for each weight at each place of each result, counted by hand."""
    plain = StandIn("plain", "", 16, (4, 8), 1, styled=False, skips=False)
    stem, down = 2 * 3 * 49 * 4 * 16 * 16, 2 * 4 * 9 * 8 * 8 * 8
    block, up, last = 2 * 2 * 8 * 9 * 8 * 8 * 8, 2 * 8 * 9 * 4 * 16 * 16, 2 * 4 * 49 * 3 * 16 * 16
    assert write_stand_in(plain, tmp_path / "x.onnx") == pytest.approx(
        (stem + down + block + up + last) / 1e9
    )


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("small_128", 4, 6),
        ("swapper_256", 50, 100),
        ("enhancer_512", 50, 100),
        pytest.param("swapper_128", 165, 185, marks=pytest.mark.slow),
    ],
)
def test_costs_are_as_named_and_activations_keep_their_size(tmp_path, name, low, high):
    stand_in = STAND_INS[name]
    assert low <= write_stand_in(stand_in, tmp_path / "x.onnx") <= high
    if name != "small_128":
        return
    result = run(tmp_path / "x.onnx", picture=np.full((1, 3, 128, 128), 0.5, np.float32))
    assert 0.2 < result.mean() < 0.8
    assert 0 < result.min() < result.max() < 1
