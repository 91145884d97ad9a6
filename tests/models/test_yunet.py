import numpy as np
import pytest

from models.catalog import load_catalog
from models.errors import ModelError
from models.runtime.registry import open_session
from models.yunet import STRIDES, YuNet
from tests.data import model
from tests.fakes.drawn_face import FIVE_POINTS, drawn_face
from tests.fakes.session import ConstantSession

CONTRACT = load_catalog()["yunet"].contract
SMALL = CONTRACT.sized(320, 320)


def quiet_results(size=320):
    return {
        f"{name}_{stride}": np.zeros((1, (size // stride) ** 2, width), np.float32)
        for stride in STRIDES
        for name, width in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10))
    }


def test_a_prediction_counts_from_the_corner_of_its_cell_in_strides():
    results = quiet_results()
    cell = 3 * 20 + 7  # row 3, column 7 at stride 16
    results["cls_16"][0, cell], results["obj_16"][0, cell] = 0.9, 0.4
    results["bbox_16"][0, cell] = [0.5, 0.25, np.log(4), np.log(2)]
    results["kps_16"][0, cell] = [-1, -1, 1, -1, 0, 0, -1, 1, 1, 1]
    detector = YuNet(ConstantSession(results, inputs={"input": (1, 320, 320, 3)}), SMALL)
    (face,) = detector.detect(np.zeros((320, 320, 3), np.uint8))
    x, y = 7 * 16, 3 * 16
    np.testing.assert_allclose(face.box, np.array([x + 8 - 32, y + 4 - 16, x + 8 + 32, y + 4 + 16]) - 0.5)
    np.testing.assert_allclose(
        face.points, np.array([[x - 16, y - 16], [x + 16, y - 16], [x, y], [x, y + 16]]) - 0.5
    )
    assert face.score == pytest.approx(0.6)


def test_no_face():
    detector = YuNet(ConstantSession(quiet_results(), inputs={"input": (1, 320, 320, 3)}), SMALL)
    assert detector.detect(np.zeros((48, 64, 3), np.uint8)) == ()


def test_a_network_of_another_size_is_refused():
    with pytest.raises(ModelError, match="cls_8"):
        YuNet(ConstantSession(quiet_results(), inputs={"input": (1, 320, 320, 3)}), CONTRACT)


@pytest.mark.parametrize("backend", ["openvino", "onnx"])
def test_the_real_network_finds_a_drawn_face(backend):
    path = model("face_detection_yunet_2026may.onnx")
    detector = YuNet(open_session(path, backend, picture=SMALL.picture), SMALL)
    frame = np.full((720, 1280, 3), 110, np.uint8)
    frame[100:612, 600:1112] = drawn_face(512)
    (face,) = detector.detect(frame)
    expected = FIVE_POINTS[:3] * 512 + [600, 100]
    assert np.abs(face.points[:3] - expected).max() < 20
    detector.close()
