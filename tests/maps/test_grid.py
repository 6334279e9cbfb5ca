"""Points in cells: each cell once, the least sum of distances, neighbours beside each other."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from doppelgram.maps import grid
from doppelgram.maps.grid import grid_shape, to_cells


def centres(count: int, columns: int) -> np.ndarray:
    rows = -(-count // columns)
    row, column = np.divmod(np.arange(count), columns)
    return np.column_stack([column / max(1, columns - 1), 1 - row / max(1, rows - 1)])


@pytest.mark.parametrize("count", [1, 2, 3, 7, 12, 100, 256, 1013])
def test_a_grid_has_room_and_no_empty_row(count: int) -> None:
    rows, columns = grid_shape(count)
    assert 0 <= rows * columns - count < columns
    assert rows <= columns <= max(rows + 1, 1.42 * np.sqrt(count))


def test_the_sum_of_squared_distances_is_the_least() -> None:
    points = np.random.default_rng(0).normal(size=(7, 2))
    scaled = points.argsort(axis=0).argsort(axis=0) / 6
    costs = ((scaled[:, None] - centres(7, 3)[None]) ** 2).sum(axis=2)
    least = min(costs[np.arange(7), list(order)].sum() for order in permutations(range(7)))
    assert costs[np.arange(7), to_cells(points, 3)].sum() == pytest.approx(least)


def test_a_shuffled_grid_is_put_in_order_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    order = np.random.default_rng(1).permutation(30)
    points = centres(30, 6)[order] * [50, 8]
    assert to_cells(points, 6).tolist() == order.tolist()
    monkeypatch.setattr(grid, "MOST_ASSIGNED", 10)
    assert to_cells(points, 6).tolist() == order.tolist()


def test_points_in_one_place_get_a_cell_each() -> None:
    assert sorted(to_cells(np.ones((5, 2)), 3)) == [0, 1, 2, 3, 4]
