"""Points of the plane put into the cells of a grid, so that neighbours stay neighbours."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import rankdata

from doppelgram.space.exact import Float64, Int64

MOST_ASSIGNED = 2_500
"""Points up to which the best of all assignments is found: it takes memory as their square, time as their cube."""

# Width to height of a sheet of A4 on its side; a grid may be a square or this wide.
_WIDEST = math.sqrt(2)


def grid_shape(count: int) -> tuple[int, int]:
    """Rows and columns of a grid of ``count`` cells: between square and A4 in shape, with the fullest last row."""
    fewest = max(1, math.ceil(math.sqrt(count)))
    most = max(fewest, int(math.sqrt(count * _WIDEST)))
    # Of equally full ones the squarer.
    columns = min(range(fewest, most + 1), key=lambda c: (math.ceil(count / c) * c - count, c))
    return math.ceil(count / columns), columns


def to_cells(points: Float64, columns: int) -> Int64:
    """The cell of each point (n, 2), numbered row by row from the top; each of the first n cells is taken once.

    Up to `MOST_ASSIGNED` points the sum of squared distances from the points' ranks, across and down, to cells is the
    least possible. More are sorted from top to bottom into rows, and each row from left to right.
    """
    count = len(points)
    # Ranks spread clumps out: six times as fast for 2,500 points, and neighbours are 1 % farther apart on the map.
    ranks = rankdata(points, axis=0)
    low, spans = ranks.min(axis=0), np.ptp(ranks, axis=0)
    shares = (ranks - low) / np.where(spans > 0, spans, 1.0)
    shares[:, 1] = 1 - shares[:, 1]  # the first row is the top one
    if count > MOST_ASSIGNED:
        return _sorted(shares, columns)
    rows = math.ceil(count / columns)
    row, column = np.divmod(np.arange(count), columns)
    cells = np.column_stack([column / max(1, columns - 1), row / max(1, rows - 1)])
    costs = ((shares[:, None] - cells[None]) ** 2).sum(axis=2)
    found: Int64 = linear_sum_assignment(costs)[1].astype(np.int64)
    return found


def _sorted(shares: Float64, columns: int) -> Int64:
    down = np.argsort(shares[:, 1], kind="stable")
    cells = np.empty(len(shares), dtype=np.int64)
    for start in range(0, len(shares), columns):
        row = down[start : start + columns]
        cells[row[np.argsort(shares[row, 0], kind="stable")]] = np.arange(start, start + len(row))
    return cells
