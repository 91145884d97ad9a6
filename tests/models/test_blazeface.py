import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.blazeface import BlazeFace, _tiles
from models.catalog import load_catalog
from models.errors import ModelError
from tests.fakes.session import ConstantSession

MODEL = load_catalog()["blazeface_short_range"]
ANCHOR = 300  # row 9, column 6 of the first grid, stride 8


def answering(logits, regressors):
    results = {"regressors": regressors, "classificators": logits}
    return ConstantSession(results, inputs={"input": (1, 128, 128, 3)})


def one_face(logit=4.0):
    logits = np.full((1, 896, 1), -9.0, np.float32)
    logits[0, ANCHOR] = logit
    regressors = np.zeros((1, 896, 16), np.float32)
    # A box of 40x20 moved by (2, -1), eyes, nose and mouth, ears.
    regressors[0, ANCHOR] = [2, -1, 40, 20, -5, -4, 5, -4, 0, 1, 0, 6, -20, 0, 20, 0]
    return answering(logits, regressors)


def test_a_prediction_lies_relative_to_its_cell():
    (face,) = BlazeFace(one_face(), MODEL.contract, MODEL.anchors).detect(np.zeros((256, 256, 3), np.uint8))
    x, y = 6 * 8 + 4, 9 * 8 + 4
    np.testing.assert_allclose(face.box, np.array([x - 18, y - 11, x + 22, y + 9]) * 2 - 0.5)
    points = np.array([[x - 5, y - 4], [x + 5, y - 4], [x, y + 1], [x, y + 6]])
    np.testing.assert_allclose(face.points, points * 2 - 0.5)
    assert face.score == pytest.approx(1 / (1 + np.exp(-4)))


@given(st.floats(-200, 200))
def test_the_threshold_is_on_the_score(logit):
    found = BlazeFace(one_face(logit), MODEL.contract, MODEL.anchors, score_threshold=0.7).detect(
        np.zeros((64, 64, 3), np.uint8)
    )
    score = 1 / (1 + np.exp(-logit)) if logit > -100 else 0.0
    assert len(found) == (score >= 0.7)
    assert all(0 <= face.score <= 1 for face in found)


def test_a_network_of_another_shape_is_refused():
    session = answering(np.zeros((1, 2304, 1), np.float32), np.zeros((1, 2304, 16), np.float32))
    with pytest.raises(ModelError, match="2304"):
        BlazeFace(session, MODEL.contract, MODEL.anchors)


@given(st.integers(2, 4000), st.integers(2, 4000))
def test_tiles_cover_a_long_frame_and_stay_inside(width, height):
    tiles = _tiles(width, height)
    side = min(width, height)
    assert bool(tiles) == (max(width, height) >= 1.5 * side)
    ends = 0
    for x, y, size in tiles:
        along = x if width > height else y
        assert size == side
        assert (y if width > height else x) == 0
        assert along <= ends
        ends = along + size
    assert not tiles or ends == max(width, height)


def test_a_face_seen_whole_and_in_a_tile_is_one():
    # The same answer for each view: the tiles' faces are half the size and elsewhere.
    detector = BlazeFace(one_face(), MODEL.contract, MODEL.anchors)
    found = detector.detect(np.zeros((720, 1280, 3), np.uint8))
    assert all(a.score == found[0].score for a in found)
    assert len(found) < 3


def test_closing_closes_the_session():
    session = one_face()
    BlazeFace(session, MODEL.contract, MODEL.anchors).close()
    assert session.closed == 1
