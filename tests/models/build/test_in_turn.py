from pathlib import Path

import numpy as np
import pytest

from models.build import in_turn
from models.build.in_turn import MAX_ROUNDS, MIN_ROUNDS, RUNS_A_ROUND, Contender, measure_pair
from models.build.rounds import Side
from models.errors import BackendError
from tests.fakes.session import ConstantSession

FEEDS = {"picture": np.zeros((1, 3, 2, 2), np.float32)}


class Machine:
    """A clock that moves on while a network runs, by more when the run before was not its own."""

    def __init__(self):
        self.now_s = self.worked_s = 0.0
        self.before = None
        self.order = []
        self.busy_runs = range(0)

    def clock_s(self):
        return self.now_s

    def busy_s(self):
        return self.worked_s

    def displace(self):
        self.order.append("-")
        self.before = None


class Network(ConstantSession):
    """`own`: ms after itself; `after`: ms after another; `cold`: ms with empty caches."""

    def __init__(self, machine, name, own, after, cold):
        super().__init__({"result": np.zeros((1, 3, 2, 2))}, inputs={f"{name}_input": (1, 3, 2, 2)})
        self.machine, self.name = machine, name
        self.own, self.after, self.cold = own, after, cold

    def run(self, feeds):
        machine = self.machine
        took = {self.name: self.own, None: self.cold}.get(machine.before, self.after)
        # Half of what is lost is waited for, which is no work.
        machine.worked_s += (self.own + took) / 2e3
        machine.now_s += took / 1e3 * (7 if len(machine.order) in machine.busy_runs else 1)
        machine.before = self.name
        machine.order.append(self.name)
        return super().run(feeds)


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def pair(monkeypatch, machine):
    """Times a against b: (own, after, cold) of each, or an error to raise."""
    opened = {}

    def measured(a, b, **options):
        def open_one(file, backend, *, device=""):
            given = {"a": a, "b": b}[backend]
            if isinstance(given, Exception):
                raise given
            opened[backend] = Network(machine, backend, *given)
            return opened[backend]

        monkeypatch.setattr(in_turn, "open_session", open_one)
        first, second = (Contender(Side(Path("x.onnx"), name), FEEDS) for name in "ab")
        options = {
            "clock_s": machine.clock_s,
            "busy_s": machine.busy_s,
            "displace": machine.displace,
            **options,
        }
        return measure_pair(first, second, **options)

    measured.opened = opened
    return measured


def test_each_network_is_charged_with_its_own_loss(pair):
    found = pair((10, 11, 14), (20, 30, 21), rounds=3)
    first, second = found.turns
    assert (first.side.backend, second.side.backend, found.rounds) == ("a", "b", 3)
    assert (first.alone_ms, first.in_turn_ms) == pytest.approx((10, 11))
    assert (first.loss, first.cold_loss, first.busy_loss) == pytest.approx((0.1, 0.4, 0.05))
    assert (second.alone_ms, second.in_turn_ms) == pytest.approx((20, 30))
    assert (second.loss, second.cold_loss, second.busy_loss) == pytest.approx((0.5, 0.05, 0.25))
    assert found.loss == pytest.approx(41 / 30 - 1)


def test_a_round_has_both_alone_cold_and_in_turn_and_begins_with_the_other_every_time(pair, machine):
    pair((1, 1, 1), (1, 1, 1), rounds=2)
    order = "".join(machine.order)
    own, cold, turns = "a" * RUNS_A_ROUND, "-a" * RUNS_A_ROUND, "ab" * RUNS_A_ROUND
    there = "a" + own + cold + "b" + (own + cold).replace("a", "b") + "b" + turns
    swapped = there.translate(str.maketrans("ab", "ba"))
    assert order.endswith(there + swapped)


def test_a_round_in_which_the_machine_was_busy_does_not_count(pair, machine):
    machine.busy_runs = range(20, 30)
    found = pair((10, 11, 14), (20, 30, 21), rounds=5)
    assert [turn.loss for turn in found.turns] == pytest.approx([0.1, 0.5])
    assert [turn.cold_loss for turn in found.turns] == pytest.approx([0.4, 0.05])


@pytest.mark.parametrize(("ms", "rounds"), [(1, MAX_ROUNDS), (60, 14), (5000, MIN_ROUNDS)])
def test_as_many_rounds_as_the_time_allows(pair, ms, rounds):
    assert pair((ms, ms, ms), (ms, ms, ms)).rounds == rounds


@pytest.mark.parametrize("lame", ["a", "b"])
def test_a_pair_that_does_not_run_has_the_reason(pair, lame):
    fit, broken = (1, 1, 1), BackendError("no such thing", "get one")
    found = pair(*((broken, fit) if lame == "a" else (fit, broken)))
    assert (found.turns, found.rounds, found.reason) == ((), 0, "no such thing")
    assert all(session.closed for session in pair.opened.values())


def test_inputs_are_fed_by_their_order_and_sessions_closed(pair):
    pair((1, 1, 1), (1, 1, 1), rounds=1)
    assert len(pair.opened) == 2
    for name, session in pair.opened.items():
        assert list(session.fed[0]) == [f"{name}_input"]
        assert session.closed


def test_the_caches_are_filled_with_something_else(machine, monkeypatch):
    monkeypatch.setattr(in_turn, "TOUCHED_BYTES", 64)
    displace = in_turn._displacer()
    displace()
    (memory,) = (cell.cell_contents for cell in displace.__closure__)
    assert memory.nbytes == 64
    assert memory.all()
