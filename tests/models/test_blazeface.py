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
    assert bool(tiles) == (1.5 * side <= max(width, height) <= 4 * side)
    ends = 0
    for x, y, size in tiles:
        along = x if width > height else y
        assert size == side
        assert (y if width > height else x) == 0
        assert along <= ends
        ends = along + size
    assert not tiles or ends == max(width, height)


class ViewSession(ConstantSession):
    """Shows one face a run, by its score and its box in the network's input; None is no face."""

    def __init__(self, *faces):
        super().__init__(one_face().results, inputs={"input": (1, 128, 128, 3)})
        self.faces = list(faces)

    def run(self, feeds):
        results = {name: array.copy() for name, array in super().run(feeds).items()}
        face = self.faces.pop(0)
        results["classificators"][0, ANCHOR] = -9 if face is None else np.log(face[0] / (1 - face[0]))
        if face is not None:
            x0, y0, x1, y1 = face[1]
            cell = (6 * 8 + 4, 9 * 8 + 4)
            results["regressors"][0, ANCHOR, :4] = [
                (x0 + x1) / 2 - cell[0],
                (y0 + y1) / 2 - cell[1],
                x1 - x0,
                y1 - y0,
            ]
        return results


# A 1280x720 frame is shown 128 wide with 28 rows above it, and its left tile 5.625 times smaller.
IN_WHOLE, IN_TILE = (30, 50, 50, 70), (53.3, 39.1, 88.9, 74.7)


@pytest.mark.parametrize(
    ("whole", "tile", "kept"),
    [
        ((0.9, IN_WHOLE), (0.8, IN_TILE), [0.9]),
        ((0.8, IN_WHOLE), (0.9, IN_TILE), [0.9]),
        ((0.8, IN_WHOLE), (0.9, (53.3, 39.1, 130, 74.7)), [0.8]),
        (None, (0.9, IN_TILE), [0.9]),
        (None, (0.9, (100, 39.1, 136, 74.7)), [0.9]),
        ((0.8, IN_WHOLE), (0.9, (5, 5, 20, 20)), [0.9, 0.8]),
    ],
    ids=["whole surer", "tile surer", "tile surer but cut", "tile only", "cut tile only", "two faces"],
)
def test_a_face_in_both_the_whole_and_a_tile_is_one(whole, tile, kept):
    detector = BlazeFace(ViewSession(whole, tile, None), MODEL.contract, MODEL.anchors)
    found = detector.detect(np.zeros((720, 1280, 3), np.uint8))
    assert [round(face.score, 5) for face in found] == kept


def test_a_tile_s_face_lies_where_the_tile_is():
    detector = BlazeFace(ViewSession(None, None, (0.9, IN_TILE)), MODEL.contract, MODEL.anchors)
    (face,) = detector.detect(np.zeros((720, 1280, 3), np.uint8))
    np.testing.assert_allclose(face.box, np.array(IN_TILE) * 5.625 - 0.5 + [560, 0, 560, 0], atol=0.01)


def test_closing_closes_the_session():
    session = one_face()
    BlazeFace(session, MODEL.contract, MODEL.anchors).close()
    assert session.closed == 1
