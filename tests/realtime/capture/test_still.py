from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalog import DEFAULT_CHAIN
from models.detector import open_detector
from models.geometry import apply
from models.landmarker import open_landmarker, region_from_detection, region_from_points
from realtime.capture.portrait import draw_portrait
from realtime.capture.still import BLINK_EVERY_S, LIDS, StillSource, lids_at
from realtime.clock import NS_PER_S
from realtime.errors import DeviceError
from tests.realtime.capture.contract import SourceContract, fresh

WIDTH, HEIGHT, FPS = 320, 180, 25.0


class TestBuiltInStill(SourceContract):
    endless = True

    def make(self):
        return StillSource(None, WIDTH, HEIGHT, FPS)


class TestPictureStill(SourceContract):
    endless = True

    @pytest.fixture(autouse=True)
    def _picture(self, tmp_path):
        self.path = tmp_path / "picture.png"
        cv2.imwrite(str(self.path), dotted(90, 120)[0])

    def make(self):
        return StillSource(self.path, WIDTH, HEIGHT, FPS)


def dotted(height, width):
    """A dark picture with bright dots, and the dots' middles (x, y) in its pixels."""
    picture = np.full((height, width, 3), 40, np.uint8)
    middles = [(width * u, height * v) for u in (0.3, 0.7) for v in (0.3, 0.7)]
    for x, y in middles:
        cv2.circle(
            picture, (round(x * 16), round(y * 16)), 5 * 16, (255, 255, 255), cv2.FILLED, cv2.LINE_AA, 4
        )
    return picture, np.array(middles)


def middle_near(bgr, point, reach):
    """The centre of brightness round a point, (x, y)."""
    x, y = np.rint(point).astype(int)
    region = bgr[y - reach : y + reach + 1, x - reach : x + reach + 1].max(axis=2).astype(float)
    region = np.maximum(region - 120, 0)
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return np.array([x + (region * columns).sum() / region.sum(), y + (region * rows).sum() / region.sum()])


def frames(source, count):
    for _ in range(count):
        yield source.read(fresh)


def test_it_says_that_it_is_not_live():
    source = StillSource(None, WIDTH, HEIGHT, FPS)
    info = source.open()
    assert (info.width, info.height, info.fps, info.live, info.duration_s) == (
        WIDTH,
        HEIGHT,
        FPS,
        False,
        None,
    )
    assert "built-in" in info.description


def test_media_time_is_number_over_rate():
    source = StillSource(None, 64, 36, 30.0)
    source.open()
    assert [grab.media_ns for grab in frames(source, 4)] == [0, 33_333_333, 66_666_667, 100_000_000]


def test_it_starts_with_the_portrait_itself_and_then_moves():
    source = StillSource(None, WIDTH, HEIGHT, FPS)
    source.open()
    first, *_, later = [grab.bgr for grab in frames(source, 20)]
    assert np.abs(first.astype(int) - draw_portrait((WIDTH, HEIGHT))).mean() < 1
    assert np.abs(later.astype(int) - first).mean() > 1


def test_the_buffer_comes_from_the_caller():
    source = StillSource(None, WIDTH, HEIGHT, FPS)
    source.open()
    buffer = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    assert source.read(lambda shape: buffer).bgr is buffer


@pytest.mark.parametrize("size", [(120, 90), (90, 120), (640, 480), (200, 200)])
def test_the_truth_says_where_a_pictures_pixels_are(tmp_path, size):
    width, height = size
    picture, middles = dotted(height, width)
    path = tmp_path / "dots.png"
    cv2.imwrite(str(path), picture)
    source = StillSource(path, 640, 360, 5.0)
    source.open()
    for grab in frames(source, 12):
        for expected in apply(source.truth(grab.media_ns), middles):
            found = middle_near(grab.bgr, expected, reach=22)
            assert np.hypot(*(found - expected)) < 0.35


def test_the_truth_holds_for_the_portrait():
    source = StillSource(None, WIDTH, HEIGHT, 4.0)
    source.open()
    portrait = draw_portrait((WIDTH, HEIGHT)).astype(int)
    for grab in frames(source, 6):
        back = cv2.warpAffine(
            grab.bgr, source.truth(grab.media_ns), (WIDTH, HEIGHT), flags=cv2.WARP_INVERSE_MAP
        )
        inner = np.s_[60:120, 110:210]
        assert np.abs(back[inner].astype(int) - portrait[inner]).mean() < 4


@given(seconds=st.floats(0, 10_000))
def test_the_motion_is_smooth_and_keeps_the_face_in_the_frame(seconds):
    source = StillSource(None, 1280, 720, 30.0)
    now, soon = (source.truth(round((seconds + after) * NS_PER_S)) for after in (0, 1 / 30))
    face = np.array([(510.0, 200.0), (770.0, 200.0), (640.0, 520.0), (640.0, 100.0)])
    here, there = apply(now, face), apply(soon, face)
    assert np.hypot(*(there - here).T).max() < 12
    assert here.min() > 0
    assert here[:, 0].max() < 1280
    assert here[:, 1].max() < 720


@given(seconds=st.floats(0, 1000))
def test_a_picture_in_motion_never_shows_an_edge(seconds):
    source = StillSource(None, 1280, 720, 30.0)
    source._path = object()  # a picture file, of which only the plate's size matters here
    motion = source._motion(round(seconds * NS_PER_S))
    plate_width, plate_height = source._plate_size()
    corners = np.array([(0, 0), (1279, 0), (0, 719), (1279, 719)], float)
    on_plate = (corners - motion[:, 2]) @ np.linalg.inv(motion[:, :2]).T
    assert on_plate.min() >= 0
    assert on_plate[:, 0].max() <= plate_width - 1
    assert on_plate[:, 1].max() <= plate_height - 1


def test_it_blinks_once_in_a_while():
    step = NS_PER_S // 100
    states = [lids_at(moment * step) for moment in range(round(BLINK_EVERY_S * 100))]
    assert set(states) == set(range(len(LIDS)))
    assert states.count(0) > 0.9 * len(states)
    assert lids_at(0) == 0
    assert lids_at(round(BLINK_EVERY_S * NS_PER_S) * 5) == 0
    changes = sum(before != after for before, after in pairwise(states))
    assert changes == 4


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("absent.png", None, "cannot be read"),
        ("empty.png", b"", "decoded"),
        ("text.png", b"not a picture", "decoded"),
    ],
)
def test_a_file_that_is_no_picture_is_a_device_error(tmp_path, name, content, says):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DeviceError, match=says) as caught:
        StillSource(path, WIDTH, HEIGHT, FPS).open()
    assert name in caught.value.message
    assert caught.value.hint


def test_a_folder_is_a_device_error(tmp_path):
    with pytest.raises(DeviceError):
        StillSource(tmp_path, WIDTH, HEIGHT, FPS).open()


def test_a_grey_picture_and_a_transparent_one_are_shown(tmp_path):
    for name, picture in (
        ("g", np.full((50, 40), 200, np.uint8)),
        ("t", np.full((50, 40, 4), 200, np.uint8)),
    ):
        path = tmp_path / f"{name}.png"
        cv2.imwrite(str(path), picture)
        source = StillSource(path, WIDTH, HEIGHT, FPS)
        source.open()
        assert source.read(fresh).bgr[HEIGHT // 2, WIDTH // 2, 0] > 150


def test_the_landmarks_follow_the_truth(default_models):
    detector = open_detector(DEFAULT_CHAIN[0], default_models)
    landmarker = open_landmarker(DEFAULT_CHAIN[1], default_models)
    source = StillSource(None, 640, 360, 2.0)
    source.open()
    try:
        first = None
        for grab in frames(source, 8):
            rough = landmarker.landmarks(grab.bgr, region_from_detection(detector.detect(grab.bgr)[0]))
            found = landmarker.landmarks(grab.bgr, region_from_points(rough.points))
            assert found.score > 0.9
            if first is None:
                first = found.points[:, :2]
            expected = apply(source.truth(grab.media_ns), first)
            off = np.hypot(*(found.points[:, :2] - expected).T)
            assert off.mean() < 0.015 * np.ptp(expected[:, 0])
    finally:
        landmarker.close()
        detector.close()


@settings(max_examples=20)
@given(seconds=st.floats(0, 100))
def test_the_truth_is_a_similarity(seconds):
    truth = StillSource(None, 640, 360, 30.0).truth(round(seconds * NS_PER_S))
    assert truth.shape == (2, 3)
    assert truth.dtype == np.float64
    linear = truth[:, :2]
    assert linear[0, 0] == pytest.approx(linear[1, 1])
    assert linear[0, 1] == pytest.approx(-linear[1, 0])
    assert 0.85 < np.sqrt(np.linalg.det(linear)) < 1.15
