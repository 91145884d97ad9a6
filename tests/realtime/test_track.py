import numpy as np
import pytest

from models.landmarker import CropRegion, Landmarks
from realtime.boxes import box_of
from realtime.clock import NS_PER_S
from realtime.smoothing import OneEuroSettings
from realtime.track import State, Track, unlikeness
from tests.fakes.head import posed

FRAME_NS = NS_PER_S // 30
BULGE = 0.05 * np.random.default_rng(3).normal(size=(468, 3)).astype(np.float32)


def seen(number: int, x: float, frames: int = 10, shape: np.ndarray | None = None) -> tuple[Track, int]:
    track = Track(number, CropRegion((x, 100), 150, 0.0), OneEuroSettings())
    for frame in range(frames):
        look(track, x, frame, shape)
        track.settle(frame * FRAME_NS)
    return track, (frames - 1) * FRAME_NS


def look(track: Track, x: float, frame: int, shape: np.ndarray | None = None) -> None:
    points = posed((x, 100), eyes_px=60)
    if shape is not None:
        points = points + shape * np.float32(60)
    track.see(Landmarks(points, 0.9), box_of(points), frame * FRAME_NS)


def test_its_own_face_fits_and_another_place_does_not() -> None:
    one, now_ns = seen(1, 100)
    other, _ = seen(2, 180)
    assert one.misfit(one, now_ns) < 0.02
    assert one.misfit(other, now_ns) > 0.5


def test_another_shape_in_the_same_place_does_not_fit() -> None:
    one, now_ns = seen(1, 100)
    other, _ = seen(2, 100, shape=BULGE)
    assert one.misfit(other, now_ns) > one.misfit(one, now_ns) + 0.2
    assert other.misfit(other, now_ns) < 0.05
    assert unlikeness(one.shape, one.shape) == 0


def test_the_shape_of_a_face_is_the_same_in_any_pose() -> None:
    one, now_ns = seen(1, 100)
    turned = Track(2, CropRegion((100, 100), 150, 0.0), OneEuroSettings())
    points = posed((100, 100), 80, yaw=30, pitch=10, roll=20)
    turned.see(Landmarks(points, 0.9), box_of(points), now_ns)
    turned.settle(now_ns)
    assert unlikeness(one.shape, turned.shape) < 0.005


def test_in_a_crowd_nothing_is_learned_of_its_shape() -> None:
    track, _ = seen(1, 100)
    known = track.shape.copy()
    track.crowded = True
    for frame in range(10, 40):
        look(track, 100, frame, BULGE)
        track.settle(frame * FRAME_NS)
    assert (track.shape == known).all()


def test_two_that_trade_places_keep_who_they_are_and_are_not_dragged() -> None:
    one, now_ns = seen(1, 100)
    other, _ = seen(2, 300)
    look(one, 300, 10)
    look(other, 100, 10)
    one.trade_places(other)
    assert (one.id, other.id) == (1, 2)
    assert one.misfit(one, now_ns + FRAME_NS) < 0.05
    for track, x in ((one, 100), (other, 300)):
        assert track.face(1.0).points[:, 0] == pytest.approx(posed((x, 100), 60)[:, 0], abs=0.01)
        assert track.region.centre[0] == pytest.approx(track.box[0] / 2 + track.box[2] / 2, abs=2)


def test_one_that_is_looked_for_elsewhere_is_not_dragged_there() -> None:
    track, _ = seen(1, 100)
    track.lose()
    assert (track.state, track.doubted, track.sightings) == (State.LOST, True, 0)
    track.look_at(CropRegion((160, 100), 150, 0.0))
    look(track, 160, 10)
    assert track.face(1.0).points[:, 0] == pytest.approx(posed((160, 100), 60)[:, 0], abs=0.01)
    assert not track.doubted
