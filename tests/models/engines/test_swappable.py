import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cuda.base import DeviceLostError
from models.engines.swappable import SwappableSession
from models.errors import BackendError, SwapError
from tests.fakes.session import ConstantSession

FEEDS = {"in": np.zeros((1, 3), np.uint8)}


class FailingSession(ConstantSession):
    error: Exception = BackendError("it broke", "hint")

    def run(self, feeds):
        super().run(feeds)
        raise self.error


def session(value=0, kind=ConstantSession, inputs=None, shape=(1, 2)):
    return kind({"out": np.full(shape, value, np.uint8)}, inputs=inputs or {"in": (1, 3)})


def value_of(swappable):
    return int(swappable.run(FEEDS)["out"].flat[0])


def test_the_offered_one_takes_over_at_the_next_frame():
    told = []
    old, new = session(1), session(2)
    swappable = SwappableSession(old, "cpu", told.append)
    assert (value_of(swappable), swappable.place) == (1, "cpu")
    assert swappable.offer(new, "gpu")
    assert (swappable.place, old.closed, told) == ("cpu", 0, [])
    assert (value_of(swappable), swappable.place) == (2, "gpu")
    assert (old.closed, told) == (1, ["gpu"])
    swappable.close()
    assert (old.closed, new.closed) == (1, 1)


def test_one_that_fails_its_first_frame_costs_no_frame(caplog):
    old, new = session(1), session(2, FailingSession)
    swappable = SwappableSession(old, "cpu")
    swappable.offer(new, "gpu")
    assert [value_of(swappable), value_of(swappable)] == [1, 1]
    assert (old.closed, new.closed, len(new.fed), swappable.place) == (0, 1, 1, "cpu")
    assert "gpu fails, going on with cpu: it broke" in caplog.text


def test_a_lost_device_is_not_hidden():
    new = session(2, FailingSession)
    new.error = DeviceLostError("gone")
    swappable = SwappableSession(session(1), "cpu")
    swappable.offer(new, "gpu")
    with pytest.raises(DeviceLostError):
        swappable.run(FEEDS)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (session(inputs={"other": (1, 3)}), "inputs are other"),
        (session(inputs={"in": (1, 4)}), r"\(1, 4\) uint8, not \(1, 3\)"),
        (session(inputs={"in": (1, 3, 1)}), "not"),
        (session(shape=(1, 5)), "output 'out'"),
    ],
)
def test_one_that_is_fed_otherwise_is_refused(other, told, caplog):
    swappable = SwappableSession(session(1), "cpu")
    assert not swappable.offer(other, "gpu")
    assert other.closed == 1
    assert value_of(swappable) == 1
    assert caplog.records[0].getMessage().startswith("gpu does not take over from cpu")


def test_a_free_dimension_fits_a_fixed_one():
    swappable = SwappableSession(session(1, inputs={"in": (-1, 3)}), "cpu")
    assert swappable.offer(session(2), "gpu")


@pytest.mark.parametrize("error", [BackendError("it broke", "hint"), SwapError("no face came of it", "hint")])
def test_why_one_does_not_take_over_is_told(error):
    told, swapped = [], []
    swappable = SwappableSession(session(1), "cpu", swapped.append, told.append)
    assert not swappable.offer(session(2, inputs={"other": (1, 3)}), "gpu")
    failing = session(2, FailingSession)
    failing.error = error
    assert swappable.offer(failing, "gpu")
    assert value_of(swappable) == 1
    assert told == ["its inputs are other", error.message]
    assert (swapped, failing.closed) == ([], 1)
    swappable.offer(session(3), "gpu")
    assert value_of(swappable) == 3
    assert (swapped, len(told)) == (["gpu"], 2)


def test_the_newest_offer_counts():
    first, second = session(2), session(3)
    swappable = SwappableSession(session(1), "cpu")
    swappable.offer(first, "a")
    swappable.offer(second, "b")
    assert (first.closed, value_of(swappable)) == (1, 3)


def test_an_offer_to_a_closed_one_is_closed():
    swappable = SwappableSession(session(1), "cpu")
    waiting = session(2)
    swappable.offer(waiting, "gpu")
    swappable.close()
    late = session(3)
    assert not swappable.offer(late, "gpu")
    assert (waiting.closed, late.closed) == (1, 1)


@given(st.lists(st.sampled_from(["run", "good", "bad"]), max_size=40))
def test_every_frame_is_answered_and_each_session_is_closed_once(steps):
    made = [session(0)]
    swappable, good = SwappableSession(made[0], "0"), [0]
    for step in steps:
        if step == "run":
            assert value_of(swappable) in good
            assert sum(each.closed == 0 for each in made) == 1
        else:
            made.append(session(len(made), ConstantSession if step == "good" else FailingSession))
            if step == "good":
                good.append(len(made) - 1)
            assert swappable.offer(made[-1], str(len(made) - 1))
    swappable.close()
    assert [each.closed for each in made] == [1] * len(made)
