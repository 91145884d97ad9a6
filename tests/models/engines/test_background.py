import threading

import numpy as np

from models.engines.background import UpgradingSession
from models.errors import BackendError
from tests.models.engines.test_swappable import session, value_of

WAIT_S = 20


class WarmedSession:
    """`session(2)`, counting its warm-ups."""

    def __new__(cls, error=None):
        made = session(2)
        made.warmed = 0

        def warmup():
            made.warmed += 1
            if error is not None:
                raise error

        made.warmup = warmup
        return made


def finished(upgrading):
    upgrading._thread.join(WAIT_S)
    return not upgrading.upgrading


def test_frames_are_served_while_the_better_one_is_built():
    go_on, built = threading.Event(), WarmedSession()

    def better(stop):
        assert go_on.wait(WAIT_S)
        return built

    upgrading = UpgradingSession(session(1), "cpu", better, "gpu")
    assert [value_of(upgrading), value_of(upgrading)] == [1, 1]
    assert upgrading.upgrading
    go_on.set()
    assert finished(upgrading)
    assert (built.warmed, len(built.fed)) == (1, 0), "it is warm before it meets a frame"
    assert (value_of(upgrading), upgrading.place) == (2, "gpu")
    upgrading.close()
    assert built.closed == 1


def test_a_build_that_fails_is_told_and_the_first_one_goes_on(caplog):
    def better(stop):
        raise BackendError("no plan came of it", "hint")

    upgrading = UpgradingSession(session(1), "cpu", better, "gpu")
    assert finished(upgrading)
    assert "going on with cpu, not gpu: no plan came of it" in caplog.text
    assert value_of(upgrading) == 1
    upgrading.close()


def test_whatever_a_driver_raises_the_first_one_goes_on(caplog):
    def better(stop):
        raise ValueError("of its own")

    told = []
    upgrading = UpgradingSession(session(1), "cpu", better, "gpu", on_failure=told.append)
    assert finished(upgrading)
    assert "of its own" in caplog.text
    assert told == ["ValueError: of its own"]
    assert value_of(upgrading) == 1
    upgrading.close()


def test_one_that_cannot_be_warmed_up_is_closed():
    built = WarmedSession(error=BackendError("no graph", "hint"))
    told = []
    upgrading = UpgradingSession(session(1), "cpu", lambda stop: built, "gpu", on_failure=told.append)
    assert finished(upgrading)
    assert built.closed == 1
    assert told == ["no graph"]
    assert np.array_equal(upgrading.run({"in": np.zeros((1, 3), np.uint8)})["out"], [[1, 1]])
    upgrading.close()


def test_closing_stops_the_build():
    first, built = session(1), WarmedSession()

    def better(stop):
        assert stop.wait(WAIT_S)
        return built

    told = []
    upgrading = UpgradingSession(first, "cpu", better, "gpu", told.append, told.append)
    upgrading.close()
    assert not upgrading.upgrading
    assert told == []
    assert (first.closed, built.closed) == (1, 1)
