from pathlib import Path

import numpy as np
import pytest

from models.build import rounds
from models.build.rounds import MAX_RUNS, MIN_RUNS, Side, measure, precision_of
from models.errors import BackendError
from tests.fakes.session import ConstantSession

FEEDS = {"picture": np.zeros((1, 3, 2, 2), np.float32)}


class Clock:
    """Moves on while a session runs."""

    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


class TimedSession(ConstantSession):
    """Takes its time, and notes that it ran."""

    def __init__(self, name, seconds, value, clock, order):
        super().__init__({"result": np.full((1, 3, 2, 2), value)}, inputs={f"{name}_input": (1, 3, 2, 2)})
        self.name, self.seconds, self.clock, self.order = name, iter(seconds), clock, order

    def run(self, feeds):
        self.clock.now_s += next(self.seconds)
        self.order.append(self.name)
        return super().run(feeds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def bench(monkeypatch, clock):
    """Sides by name: (seconds of each run, output), or an error to raise."""
    sessions, order = {}, []

    def put(**sides):
        def opened(file, backend, **options):
            side = sides[backend]
            if isinstance(side, Exception):
                raise side
            sessions[backend] = TimedSession(backend, side[0], side[1], clock, order)
            return sessions[backend]

        monkeypatch.setattr(rounds, "open_session", opened)
        return sessions, order

    return put


def memory():
    values = iter(range(0, 1000, 7))
    return lambda: float(next(values))


def sides(*names, file="x.onnx"):
    return [Side(Path(file), name) for name in names]


def test_sides_take_turns_there_and_back(bench, clock):
    sessions, order = bench(a=([1] * 9, 0.0), b=([1] * 9, 0.0))
    measure(sides("a", "b"), FEEDS, rss_mb=memory(), runs=4, clock_s=clock)
    assert order == ["a", "a", "b", "b", *"abbaabba"]
    assert all(session.closed == 1 for session in sessions.values())


def test_figures_are_of_the_runs_after_the_warm_up(bench, clock):
    bench(a=([9, 5, 0.010, 0.020, 0.030, 0.040, 0.100], 0.0))
    (figures,) = measure(sides("a"), FEEDS, rss_mb=memory(), runs=5, clock_s=clock)
    assert figures.runs_ms == pytest.approx([10, 20, 30, 40, 100])
    assert figures.p50_ms == pytest.approx(30)
    assert figures.p95_ms == pytest.approx(88)
    assert figures.memory_mb == 7


def test_the_error_is_against_the_first_fp32_side(bench, clock):
    bench(quick=([1] * 9, 0.25), plain=([1] * 9, 0.5), other=([1] * 9, 0.5))
    both = [*sides("quick", file="x.int8.onnx"), *sides("plain", "other")]
    quick, plain, other = measure(both, FEEDS, rss_mb=memory(), runs=1, clock_s=clock)
    assert plain.agreements == ()
    assert quick.agreements[0].max_abs == 0.25
    assert other.agreements[0].max_abs == 0


def test_a_side_that_does_not_run_has_the_reason_and_the_rest_go_on(bench, clock):
    bench(lame=BackendError("no such thing", "buy one"), fit=([1] * 9, 0.0))
    lame, fit = measure(sides("lame", "fit"), FEEDS, rss_mb=memory(), runs=2, clock_s=clock)
    assert (lame.reason, lame.runs_ms) == ("no such thing", ())
    assert (fit.reason, len(fit.runs_ms)) == ("", 2)
    (alone,) = measure(sides("lame"), FEEDS, rss_mb=memory(), runs=2, clock_s=clock)
    assert alone.reason == "no such thing"


@pytest.mark.parametrize(("seconds", "runs"), [(1e-4, MAX_RUNS), (0.3, 20), (100, MIN_RUNS)])
def test_as_many_runs_as_the_time_allows(bench, clock, seconds, runs):
    bench(a=([seconds] * 99, 0.0))
    (figures,) = measure(sides("a"), FEEDS, rss_mb=memory(), clock_s=clock)
    assert len(figures.runs_ms) == runs


def test_inputs_are_fed_by_their_order(bench, clock):
    sessions, _ = bench(a=([1] * 9, 0.0))
    measure(sides("a"), FEEDS, rss_mb=memory(), runs=1, clock_s=clock)
    assert set(sessions["a"].fed[0]) == {"a_input"}


def test_sessions_are_closed_when_a_run_fails(bench, clock):
    sessions, _ = bench(a=([1] * 9, 0.0), b=([1, 1], 0.0))
    with pytest.raises((StopIteration, RuntimeError)):
        measure(sides("a", "b"), FEEDS, rss_mb=memory(), runs=2, clock_s=clock)
    assert [session.closed for session in sessions.values()] == [1, 1]


@pytest.mark.parametrize(
    ("name", "precision"),
    [
        ("x.onnx", "fp32"),
        ("x.fp16.onnx", "fp16"),
        ("x.int8.xml", "int8"),
        ("x.int8-tensorrt.onnx", "int8"),
        ("int8.onnx", "fp32"),
        ("scrfd_2.5g.onnx", "fp32"),
    ],
)
def test_the_precision_is_read_from_the_name(name, precision):
    assert precision_of(Path(name)) == precision
