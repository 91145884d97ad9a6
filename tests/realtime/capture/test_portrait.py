import cv2
import numpy as np
import pytest

from models.catalog import DEFAULT_CHAIN
from models.detector import open_detector
from models.landmarker import open_landmarker, region_from_detection, region_from_points
from models.topology import LEFT_EYE, LIPS_INNER, LIPS_OUTER, RIGHT_BROW, RIGHT_EYE
from realtime.capture.portrait import draw_portrait

SIZE = (1280, 720)


@pytest.fixture(scope="module")
def portrait():
    return draw_portrait(SIZE)


@pytest.fixture(scope="module")
def vision(default_models):
    detector = open_detector(DEFAULT_CHAIN[0], default_models)
    landmarker = open_landmarker(DEFAULT_CHAIN[1], default_models)
    yield detector, landmarker
    landmarker.close()
    detector.close()


def find(vision, bgr):
    """The one face: detection and landmarks."""
    detector, landmarker = vision
    detections = detector.detect(bgr)
    assert len(detections) == 1
    rough = landmarker.landmarks(bgr, region_from_detection(detections[0]))
    return detections[0], landmarker.landmarks(bgr, region_from_points(rough.points))


def moved(bgr, angle, scale, shift):
    width, height = SIZE
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
    matrix[:, 2] += shift
    return cv2.warpAffine(bgr, matrix, SIZE, borderMode=cv2.BORDER_REPLICATE), matrix


@pytest.mark.parametrize("size", [(1280, 720), (640, 480), (360, 640), (176, 144), (33, 17)])
def test_it_has_the_size_asked_for(size):
    drawn = draw_portrait(size)
    assert drawn.shape == (size[1], size[0], 3)
    assert drawn.dtype == np.uint8
    assert drawn.flags.c_contiguous


def test_it_is_drawn_alike_each_time(portrait):
    assert np.array_equal(draw_portrait(SIZE), portrait)


def test_rows_below_continue_the_same_picture(portrait):
    taller = draw_portrait(SIZE, below_px=150)
    assert taller.shape == (SIZE[1] + 150, SIZE[0], 3)
    assert np.abs(taller[: SIZE[1]].astype(int) - portrait).mean() < 1


def test_only_the_eyes_close(portrait):
    shut = draw_portrait(SIZE, openness=0.0)
    changed = np.argwhere((shut != portrait).any(axis=2))
    assert len(changed) > 200
    low, high = changed.min(axis=0), changed.max(axis=0)
    assert high[0] - low[0] < SIZE[1] / 10
    assert high[1] - low[1] < SIZE[0] / 5
    box = np.s_[low[0] : high[0] + 1, low[1] : high[1] + 1]
    brightest_open, brightest_shut = (picture[box].min(axis=2).max() for picture in (portrait, shut))
    assert brightest_open > brightest_shut + 20, "open eyes shine"
    half = draw_portrait(SIZE, openness=0.5)
    assert (half != portrait).any()
    assert (half != shut).any()


@pytest.mark.parametrize(
    ("angle", "scale", "shift"),
    [
        (0, 1, (0, 0)),
        (-15, 0.7, (90, -30)),
        (15, 1.3, (-60, 20)),
        (15, 0.7, (-120, 40)),
        (-15, 1.3, (40, -20)),
    ],
)
def test_the_default_models_find_the_face_wherever_it_moves(vision, portrait, angle, scale, shift):
    _, still = find(vision, portrait)
    frame, matrix = moved(portrait, angle, scale, shift)
    detection, face = find(vision, frame)
    assert detection.score > 0.9
    assert face.score > 0.9
    expected = still.points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    off = np.hypot(*(face.points[:, :2] - expected).T)
    assert off.mean() < 0.01 * np.ptp(expected[:, 0])


def test_it_is_found_with_its_eyes_shut(vision):
    _, face = find(vision, draw_portrait(SIZE, openness=0.0))
    assert face.score > 0.9


def test_the_landmarks_lie_on_what_was_drawn(vision, portrait):
    _, face = find(vision, portrait)
    lab = cv2.cvtColor(portrait, cv2.COLOR_BGR2LAB).astype(int)

    def mean(ring, hole=None):
        mask = np.zeros(portrait.shape[:2], np.uint8)
        cv2.fillPoly(mask, [np.rint(face.points[ring, :2]).astype(np.int32)], 255)
        if hole is not None:
            cv2.fillPoly(mask, [np.rint(face.points[hole, :2]).astype(np.int32)], 0)
        return lab[mask > 0].mean(axis=0)

    cheek = lab[tuple(np.rint(face.points[280, 1::-1]).astype(int))]
    lips, brow = mean(LIPS_OUTER, LIPS_INNER), mean(RIGHT_BROW)
    assert lips[1] > cheek[1] + 8, "lips are not redder than the cheek"
    assert brow[0] < cheek[0] - 30, "brows are not darker than the cheek"
    for eye in (RIGHT_EYE, LEFT_EYE):
        assert mean(eye)[1] < cheek[1] - 8, "eyes are not less red than the cheek"
