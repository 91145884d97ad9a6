"""Who is who: the pairing of two sets that costs least as a whole."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["assign"]


def assign(costs: Sequence[Sequence[float]], limit: float) -> tuple[tuple[int, int], ...]:
    """Pairs (row, column) whose sum of costs is least, when a row left over costs `limit`.

    `costs`: one row a member of the first set, one column a member of the second; infinite where a pair is
    impossible. No pair costs `limit` or more. The Hungarian method in its form with potentials and shortest
    augmenting paths (H. W. Kuhn, "The Hungarian method for the assignment problem", 1955; R. Jonker,
    A. Volgenant, "A shortest augmenting path algorithm", 1987), O(rows^2 * columns).
    """
    rows = len(costs)
    columns = len(costs[0]) if rows else 0
    if not columns:
        return ()
    if rows == 1:
        best = min(range(columns), key=lambda column: costs[0][column])
        return ((0, best),) if costs[0][best] < limit else ()
    padded = np.full((rows, columns + rows), float(limit))
    padded[:, :columns] = np.minimum(np.asarray(costs, float), limit * 4 + 1)
    taken_by = _least(padded)
    pairs = ((row, column) for column, row in enumerate(taken_by[:columns]) if row >= 0)
    return tuple(sorted((row, column) for row, column in pairs if costs[row][column] < limit))


def _least(costs: NDArray[np.float64]) -> list[int]:
    """For each column the row it goes to, or -1. `costs`: finite, no more rows than columns."""
    rows, columns = costs.shape
    row_price = np.zeros(rows)
    column_price = np.zeros(columns)
    taken_by = [-1] * columns
    for new_row in range(rows):
        distance = np.full(columns, math.inf)
        before = [-1] * columns
        open_columns = np.ones(columns, bool)
        row, column = new_row, -1
        reached = 0.0
        while True:
            through = reached + costs[row] - row_price[row] - column_price
            nearer = open_columns & (through < distance)
            distance[nearer] = through[nearer]
            for index in np.flatnonzero(nearer).tolist():
                before[index] = column
            column = int(np.argmin(np.where(open_columns, distance, math.inf)))
            reached = float(distance[column])
            open_columns[column] = False
            if taken_by[column] < 0:
                break
            row = taken_by[column]
        settled = np.flatnonzero(~open_columns).tolist()
        row_price[new_row] += reached
        for index in settled:
            gain = reached - distance[index]
            column_price[index] -= gain
            if taken_by[index] >= 0:
                row_price[taken_by[index]] += gain
        while column >= 0:
            previous = before[column]
            taken_by[column] = taken_by[previous] if previous >= 0 else new_row
            column = previous
    return taken_by
