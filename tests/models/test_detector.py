import numpy as np
import pytest

from models.detector import open_detector
from models.errors import ModelError
from tests.data import clip
from tests.fakes.drawn_face import FIVE_POINTS, drawn_face


@pytest.fixture(scope="module")
def detector(default_models):
    opened = open_detector("blazeface_short_range", default_models)
    yield opened
    opened.close()


def frame_with(*faces, size=(1280, 720)):
    """A grey frame with drawn faces: (left, top, side of the picture of the face)."""
    frame = np.full((size[1], size[0], 3), 110, np.uint8)
    for left, top, side in faces:
        frame[top : top + side, left : left + side] = drawn_face(side)
    return frame


def expect(detection, left, top, side):
    eyes_and_nose = FIVE_POINTS[:3] * side + [left, top]
    assert np.abs(detection.points[:3] - eyes_and_nose).max() < 0.06 * side
    x0, y0, x1, y1 = detection.box
    assert x0 < eyes_and_nose[:, 0].min()
    assert eyes_and_nose[:, 0].max() < x1
    assert y0 < eyes_and_nose[:, 1].min()
    assert eyes_and_nose[:, 1].max() < y1
    assert 0.5 <= detection.score <= 1


@pytest.mark.parametrize(
    "place", [(384, 100, 512), (0, 0, 400), (900, 300, 360), (700, 20, 260), (560, 0, 700)]
)
def test_one_face_is_found_where_it_is(detector, place):
    (found,) = detector.detect(frame_with(place))
    expect(found, *place)


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (512, 512), (720, 1280), (1920, 1080)])
def test_whatever_the_size_of_the_frame(detector, size):
    place = (60, 40, 400)
    (found,) = detector.detect(frame_with(place, size=size))
    expect(found, *place)


def test_several_faces_are_several(detector):
    places = [(20, 20, 300), (340, 380, 320), (700, 30, 320), (940, 380, 300)]
    found = sorted(detector.detect(frame_with(*places)), key=lambda one: one.box[0])
    assert len(found) == len(places)
    for one, place in zip(found, places, strict=True):
        expect(one, *place)


def test_nothing_is_found_where_nothing_is(detector):
    assert detector.detect(np.zeros((720, 1280, 3), np.uint8)) == ()
    assert detector.detect(np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)) == ()


def test_four_real_faces(detector):
    import cv2

    video = cv2.VideoCapture(str(clip("mosaic4_1280x720.mp4")))
    _, bgr = video.read()
    video.release()
    assert len(detector.detect(bgr)) == 4


def test_a_model_that_is_no_detector(default_models):
    with pytest.raises(ModelError, match="facemesh_468 is a landmarker"):
        open_detector("facemesh_468", default_models)


def test_a_detector_that_was_not_fetched(tmp_path):
    with pytest.raises(ModelError, match=r"blazeface_short_range\.tflite"):
        open_detector("blazeface_short_range", tmp_path)
