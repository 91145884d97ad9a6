import threading

import pytest

from models.errors import BackendError
from models.opening import Opening

WAIT_S = 30.0


class Thing:
    def __init__(self, name="thing"):
        self.name = name
        self.thread = threading.current_thread()
        self.closed = 0

    def close(self):
        self.closed += 1


def raising(error):
    def opener():
        raise error

    return opener


def test_everything_is_there_in_the_order_given():
    opening = Opening({"b": lambda: Thing("b"), "a": lambda: Thing("a")})
    taken = opening.take()
    assert [(name, thing.name) for name, thing in taken.items()] == [("b", "b"), ("a", "a")]
    opening.close()
    assert [thing.closed for thing in taken.values()] == [0, 0], "they are the taker's now"


@pytest.mark.parametrize("at_once", [False, True])
def test_it_is_opened_in_another_thread_without_being_waited_for(at_once):
    opened = threading.Event()
    opening = Opening({"a": lambda: opened.set() or Thing()}, at_once=at_once)
    assert opened.wait(WAIT_S)
    assert opening.take()["a"].thread is not threading.current_thread()


def test_at_once_none_waits_for_another():
    both = threading.Barrier(2, timeout=WAIT_S)

    def opener():
        both.wait()
        return Thing()

    taken = Opening({"a": opener, "b": opener}, at_once=True).take()
    assert taken["a"].thread is not taken["b"].thread


def test_one_after_the_other_in_one_thread_otherwise():
    order = []
    openers = {name: lambda name=name: order.append(name) or Thing() for name in "cab"}
    taken = Opening(openers).take()
    assert order == list("cab")
    assert len({thing.thread for thing in taken.values()}) == 1


def test_what_minds_the_thread_is_opened_by_whoever_takes_it():
    opening = Opening({"a": Thing, "cuda": Thing, "b": Thing}, here={"cuda"})
    taken = opening.take()
    assert list(taken) == ["a", "cuda", "b"]
    assert taken["cuda"].thread is threading.current_thread()
    assert threading.current_thread() not in (taken["a"].thread, taken["b"].thread)


@pytest.mark.parametrize("at_once", [False, True])
def test_when_one_fails_its_error_is_raised_and_the_others_are_closed(at_once):
    fit = Thing()
    error = BackendError("no such thing", "get one")
    opening = Opening({"fit": lambda: fit, "lame": raising(error)}, at_once=at_once)
    with pytest.raises(BackendError) as caught:
        opening.take()
    assert caught.value is error
    assert opening.errors == {"lame": error}
    assert fit.closed == 1


def test_of_several_errors_the_first_in_order_is_raised_and_the_others_are_told(caplog):
    first, second = BackendError("one", "a"), KeyError("two")
    begun, late = threading.Event(), threading.Event()

    def failing_late():
        begun.set()
        assert late.wait(WAIT_S)
        raise first

    def failing_soon():
        assert begun.wait(WAIT_S)
        late.set()
        raise second

    opening = Opening({"a": failing_late, "b": failing_soon}, at_once=True)
    with pytest.raises(BackendError):
        opening.take()
    assert opening.errors == {"a": first, "b": second}
    assert "b cannot be opened either: 'two'" in caplog.text


def test_nothing_more_is_opened_after_an_error():
    opened = []
    opening = Opening({"lame": raising(KeyError()), "next": lambda: opened.append(1) or Thing()})
    with pytest.raises(KeyError):
        opening.take()
    assert opened == []


def test_an_interruption_is_the_takers():
    with pytest.raises(KeyboardInterrupt):
        Opening({"a": raising(KeyboardInterrupt())}).take()


def test_what_nobody_takes_is_closed():
    first, second = Thing(), Thing()
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()

    class Late(Thing):
        def close(self):
            super().close()
            done.set()

    late = Late()

    def opening_late():
        begun.set()
        assert go_on.wait(WAIT_S)
        return late

    opening = Opening({"a": lambda: first, "late": opening_late, "never": lambda: second})
    assert begun.wait(WAIT_S)
    opening.close()
    opening.close()
    assert first.closed == 1
    go_on.set()
    assert done.wait(WAIT_S), "what was still opening is closed when it is open"
    assert (late.closed, second.closed) == (1, 0)


def test_one_taker_only():
    opening = Opening({"a": Thing})
    opening.take()
    with pytest.raises(AssertionError, match="one owner"):
        opening.take()


def test_taken_after_it_was_closed_is_a_mistake():
    opening = Opening({"a": Thing})
    opening.close()
    with pytest.raises(AssertionError, match="closed before"):
        opening.take()
