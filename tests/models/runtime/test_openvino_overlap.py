import numpy as np
import pytest

from models.errors import BackendError, RealtimeError
from models.runtime.base import InputSpec, Normalisation, PictureOut
from models.runtime.openvino_overlap import OverlappingOpenVinoSession
from tests.fakes.onnx_file import negating_network


@pytest.fixture
def load(tmp_path):
    sessions = []

    def load(shape=(2, 3), **options):
        path = tmp_path / "toy.onnx"
        path.write_bytes(negating_network(shape))
        sessions.append(OverlappingOpenVinoSession(path, **options))
        return sessions[-1]

    yield load
    for session in sessions:
        session.close()


def ones(value, shape=(2, 3)):
    return {"picture": np.full(shape, value, np.float32)}


def test_results_come_in_order_though_a_later_frame_is_through_first(load):
    """The first request is a picture a thousand times as large as the second."""
    session = load(("n", "m"))
    session.warmup()
    session.submit({"picture": np.ones((2000, 1500), np.float32)})
    session.submit({"picture": np.full((1, 2), 5, np.float32)})
    session._lanes[session._submitted % 2 - 1].request.wait()
    first, second = session.collect(), session.collect()
    assert (first.sequence + 1, first.outputs["negated"].shape) == (second.sequence, (2000, 1500))
    np.testing.assert_array_equal(second.outputs["negated"], [[-5, -5]])


def test_more_frames_than_there_are_requests(load):
    session = load(depth=2)
    session.submit(ones(1))
    session.submit(ones(2))
    with pytest.raises(RuntimeError, match="2 frames are in flight"):
        session.submit(ones(3))
    with pytest.raises(RuntimeError, match="collect them first"):
        session.run(ones(3))
    assert [session.collect().outputs["negated"].max() for _ in range(2)] == [-1, -2]
    with pytest.raises(RuntimeError, match="no frame is in flight"):
        session.collect()
    assert session.run(ones(4))["negated"].max() == -4


def test_what_was_fed_may_change_after_it_was_submitted(load):
    session = load()
    feeds = ones(1)
    session.submit(feeds)
    feeds["picture"][:] = 99
    assert session.collect().outputs["negated"].max() == -1


def test_a_result_stands_until_depth_more_were_submitted(load):
    session = load(depth=2)
    session.submit(ones(1))
    kept = session.collect().outputs["negated"]
    session.submit(ones(2))
    session.collect()
    assert kept.max() == -1
    session.submit(ones(3))
    session.collect()
    assert kept.max() == -3


@pytest.mark.parametrize("feeds", [{}, {"picture": np.zeros((9, 9), np.float32)}, {"picture": np.array("a")}])
def test_wrong_feeds_are_told_and_the_session_goes_on(load, feeds):
    session = load()
    session.submit(ones(1))
    with pytest.raises(BackendError, match=r"toy\.onnx"):
        session.submit(feeds)
    session.submit(ones(2))
    assert [session.collect().outputs["negated"].max() for _ in range(2)] == [-1, -2]


def test_arrays_of_another_type_or_layout_are_taken(load):
    session = load()
    for fed in (np.arange(6.0).reshape(2, 3), np.arange(6, dtype=np.float32).reshape(3, 2).T):
        np.testing.assert_array_equal(session.run({"picture": fed})["negated"], -fed)


def test_pictures_in_and_out(load):
    shape = (1, 3, 4, 5)
    session = load(
        shape,
        picture=InputSpec(4, 5, "nchw", Normalisation(0, -255.0)),
        picture_out=PictureOut((0.0, 1.0)),
    )
    source = np.random.default_rng(0)
    pictures = [source.integers(0, 256, (1, 4, 5, 3), np.uint8) for _ in range(2)]
    for picture in pictures:
        session.submit({"picture": picture})
    for picture in pictures:
        np.testing.assert_array_equal(session.collect().outputs["negated"], picture)


def test_a_picture_that_is_none_is_lost_and_not_the_one_after_it(load):
    session = load((1, 3, 2, 2), picture_out=PictureOut((0.0, -1.0)))
    session.warmup()
    for value in (np.nan, 1.0):
        session.submit(ones(value, (1, 3, 2, 2)))
    with pytest.raises(RealtimeError, match="no numbers"):
        session.collect()
    assert session.collect().outputs["negated"].min() == 255


def test_closing_waits_for_what_is_in_flight_and_then_nothing_runs(load):
    session = load(depth=2)
    session.submit(ones(1))
    session.close()
    session.close()
    for call in (lambda: session.submit(ones(1)), session.collect, lambda: session.run(ones(1))):
        with pytest.raises(BackendError, match="closed"):
            call()
