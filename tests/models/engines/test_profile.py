import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engines.profile import Range, profile_for
from models.errors import BackendError


def test_fixed_shapes_and_a_free_batch_need_nothing():
    assert profile_for({"a": (1, 3, 8, 8), "b": (-1, 512), "c": ()}) == {
        "a": Range.fixed((1, 3, 8, 8)),
        "b": Range.fixed((1, 512)),
        "c": Range.fixed(()),
    }


def test_a_range_is_kept_and_knows_what_it_holds():
    wanted = Range((1, 8), (2, 8), (4, 8))
    assert profile_for({"a": (-1, 8)}, {"a": wanted}) == {"a": wanted}
    assert wanted.free == (-1, 8)
    assert wanted.holds((3, 8))
    assert not wanted.holds((5, 8))
    assert not wanted.holds((3, 8, 1))


@pytest.mark.parametrize(
    ("inputs", "wanted", "told"),
    [
        ({"a": (1, -1)}, {}, "how large it can be"),
        ({"a": (1, 8)}, {"b": Range.fixed((1, 8))}, "no input named 'b'"),
        ({"a": (1, 8)}, {"a": Range.fixed((1, 9))}, "does not allow"),
        ({"a": (1, 8)}, {"a": Range.fixed((8,))}, "does not allow"),
    ],
)
def test_what_does_not_fit(inputs, wanted, told):
    with pytest.raises(BackendError, match=told):
        profile_for(inputs, wanted)


@pytest.mark.parametrize("shapes", [((1,), (2,), (1,)), ((0,), (1,), (1,)), ((1,), (1, 1), (1, 1))])
def test_shapes_that_do_not_rise(shapes):
    with pytest.raises(ValueError, match="the shapes"):
        Range(*shapes)


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=4))
def test_a_range_holds_its_own_three_shapes(sizes):
    least = tuple(low for low, _, _ in sizes)
    best = tuple(low + more for low, more, _ in sizes)
    most = tuple(low + more + still for low, more, still in sizes)
    held = Range(least, best, most)
    assert all(held.holds(shape) for shape in held.shapes())
    assert not held.holds(tuple(size + 1 for size in most))
