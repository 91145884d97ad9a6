import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.errors import BackendError, SwapError
from models.runtime.openvino import OpenVinoSession
from models.runtime.openvino_overlap import OverlappingOpenVinoSession
from models.runtime.overlap import Overlapping, run_each
from models.runtime.registry import open_session
from tests.fakes.networks import tiny_network
from tests.fakes.onnx_file import negating_network
from tests.fakes.overlapping import EchoingSession
from tests.models.runtime.test_tensorrt import cudart, load, network, trt  # noqa: F401

numbers = st.lists(st.integers(0, 9), max_size=12)


def fed(values):
    return [{"value": np.array([value])} for value in values]


def answers(outputs):
    return [int(each["value"][0]) for each in outputs]


@given(numbers, st.integers(1, 4))
def test_each_gets_its_own_answer_in_order_and_the_session_is_kept_full(values, depth):
    session = EchoingSession(depth)
    assert answers(run_each(session, fed(values))) == [-value for value in values]
    assert session.most_in_flight == min(depth, len(values))
    assert session.in_flight == 0


@given(numbers, st.integers(1, 4), st.integers(0, 9), st.sampled_from(["refused", "failing"]))
def test_a_failure_in_the_middle_is_told_and_leaves_the_session_empty(values, depth, bad, how):
    session = EchoingSession(depth, **{how: {bad}})
    if bad in values:
        with pytest.raises(BackendError, match=f"{bad} "):
            run_each(session, fed(values))
        assert session.in_flight == 0
    good = [value for value in values if value != bad]
    assert answers(run_each(session, fed(good))) == [-value for value in good]


class OneAtATime:
    """A session that can only run."""

    def __init__(self, **options):
        self._session = EchoingSession(1, **options)
        self.run = self._session.run


@pytest.mark.parametrize("make", [OneAtATime, lambda **options: EchoingSession(2, **options)])
@given(numbers, st.sets(st.integers(0, 9)))
def test_all_that_give_no_face_are_named_and_the_others_can_be_asked_for_again(make, values, faceless):
    session = make(faceless=faceless)
    assert isinstance(session, Overlapping) is not isinstance(session, OneAtATime)
    bad = tuple(place for place, value in enumerate(values) if value in faceless)
    if bad:
        with pytest.raises(SwapError, match=f"{values[bad[0]]} is no face") as caught:
            run_each(session, fed(values))
        assert caught.value.faces == bad
    good = [value for value in values if value not in faceless]
    assert answers(run_each(session, fed(good))) == [-value for value in good]


def test_the_first_error_is_the_one_that_is_told():
    session = EchoingSession(3, refused={3}, failing={1, 2})
    with pytest.raises(BackendError, match="3 is refused"):
        run_each(session, fed([1, 2, 3]))
    assert session.in_flight == 0


def test_a_session_that_cannot_runs_one_after_the_other_and_each_keeps_its_answer(tmp_path):
    path = tmp_path / "toy.onnx"
    path.write_bytes(negating_network((2, 3)))
    session = OpenVinoSession(path)
    assert not isinstance(session, Overlapping)
    outputs = run_each(session, [{"picture": np.full((2, 3), value, np.float32)} for value in range(4)])
    assert [each["negated"].max() for each in outputs] == [0, -1, -2, -3]
    assert run_each(session, []) == []
    session.close()


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_openvino_answers_as_one_after_the_other(tmp_path, depth):
    path = tiny_network(tmp_path / "tiny.onnx")
    alone, together = OpenVinoSession(path), OverlappingOpenVinoSession(path, depth=depth)
    assert isinstance(together, Overlapping)
    together.warmup()
    source = np.random.default_rng(1)
    feeds = [{spec.name: source.random(spec.shape, np.float32) for spec in together.inputs} for _ in range(7)]
    for one, other in zip(run_each(alone, feeds), run_each(together, feeds), strict=True):
        assert set(one) == set(other)
        for name in one:
            np.testing.assert_allclose(one[name], other[name], rtol=1e-4, atol=1e-5)
    alone.close()
    together.close()


def ones(value, shape=(2, 3)):
    return {"picture": np.full(shape, value, np.float32)}


@pytest.mark.parametrize("make", ["openvino", "tensorrt"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    steps=st.lists(st.sampled_from(["submit", "refused", "collect"]), max_size=24), depth=st.integers(1, 3)
)
def test_no_result_is_lost_when_a_submit_fails(make, load, tmp_path, steps, depth):  # noqa: F811
    if make == "tensorrt":
        session = load(depth=depth)
    else:
        path = tmp_path / "toy.onnx"
        path.write_bytes(negating_network((2, 3)))
        session = OverlappingOpenVinoSession(path, depth=depth)
    assert isinstance(session, Overlapping)
    assert session.depth == depth
    values, got = [], 0
    for number, step in enumerate(steps):
        if step == "refused" and session.in_flight < depth:
            with pytest.raises(BackendError):
                session.submit({"picture": np.zeros((9, 9), np.float32)} if number % 2 else {})
        elif step == "submit" and session.in_flight < depth:
            assert session.submit(ones(number)) == len(values)
            values.append(number)
        elif step == "collect" and session.in_flight:
            result = session.collect()
            assert (result.sequence, result.outputs["negated"].max()) == (got, -values[got])
            got += 1
        assert session.in_flight == len(values) - got
    for sequence, value in enumerate(values[got:], got):
        result = session.collect()
        assert (result.sequence, result.outputs["negated"].min()) == (sequence, -value)
    session.close()


def test_run_each_on_tensorrt(load):  # noqa: F811
    session = load(depth=2)
    outputs = run_each(session, [ones(value) for value in range(5)])
    assert [each["negated"].max() for each in outputs] == [0, -1, -2, -3, -4]


def test_run_each_on_tensorrt_goes_on_after_a_failure(load, trt):  # noqa: F811
    session = load(depth=2, graphs=False)
    with pytest.raises(BackendError):
        run_each(session, [ones(0), ones(1), {}])
    assert session.in_flight == 0
    assert run_each(session, [ones(7)])[0]["negated"].max() == -7


@pytest.mark.parametrize(("backend", "overlapping"), [("openvino", True), ("onnx", False), ("auto", True)])
def test_the_registry_opens_what_can(tmp_path, backend, overlapping):
    path = tmp_path / "toy.onnx"
    path.write_bytes(negating_network((2, 3)))
    for depth, expected in ((1, False), (2, overlapping)):
        session = open_session(path, backend, device="CPU", depth=depth)
        assert isinstance(session, Overlapping) is expected
        assert run_each(session, [ones(3)])[0]["negated"].max() == -3
        session.close()
