from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.assignment import assign

LIMIT = 2.0
values = st.one_of(st.floats(0, 3), st.just(float("inf")))
tables = st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(
    lambda shape: st.lists(
        st.lists(values, min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
    )
)


def total(costs: list[list[float]], pairs: tuple[tuple[int, int], ...]) -> float:
    return sum(costs[row][column] for row, column in pairs) + LIMIT * (len(costs) - len(pairs))


def least(costs: list[list[float]]) -> float:
    """By trying everything."""
    rows, columns = len(costs), len(costs[0])
    padded = [[*row, *[LIMIT] * rows] for row in costs]
    return min(
        sum(padded[row][column] for row, column in enumerate(choice))
        for choice in permutations(range(columns + rows), rows)
    )


@given(tables)
def test_no_other_pairing_costs_less(costs: list[list[float]]) -> None:
    pairs = assign(costs, LIMIT)
    rows, columns = [row for row, _ in pairs], [column for _, column in pairs]
    assert len(set(rows)) == len(rows)
    assert len(set(columns)) == len(columns)
    assert all(costs[row][column] < LIMIT for row, column in pairs)
    assert total(costs, pairs) == pytest.approx(least(costs))


def test_the_whole_counts_not_the_first_come() -> None:
    assert assign([[0.1, 0.2], [0.15, 9.0]], LIMIT) == ((0, 1), (1, 0))


def test_nothing_and_nobody() -> None:
    assert assign([], LIMIT) == ()
    assert assign([[], []], LIMIT) == ()
    assert assign([[float("inf")], [2.5]], LIMIT) == ()


def test_twenty_faces_are_few() -> None:
    costs = np.random.default_rng(2).uniform(0, 3, (16, 20)).tolist()
    assert len(assign(costs, LIMIT)) == 16


def test_crowds_of_like_faces_are_paired_at_the_least_cost() -> None:
    rng = np.random.default_rng(7)
    for _ in range(200):
        costs = rng.uniform(0, 1.2 * LIMIT, (5, rng.integers(3, 6))).tolist()
        assert total(costs, assign(costs, LIMIT)) == pytest.approx(least(costs))
