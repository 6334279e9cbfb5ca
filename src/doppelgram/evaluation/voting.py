"""Which class the nearest neighbours name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.catalog.exact import Int64, pair_distances
from doppelgram.evaluation.setting import Setting


def vote(classes: Int64) -> Int64:
    """The class that most of the nearest neighbours belong to.

    When classes have equally many votes, the one whose nearest member is nearest wins; neighbours at equal distances
    stand in the order in which they are given (:func:`settle`).

    Args:
        classes: (q, k) classes of the neighbours, nearest first; -1 where there is none.

    Returns:
        (q,) class, -1 where no neighbour has one.
    """
    votes = np.zeros(classes.shape, dtype=np.int64)
    for place in range(classes.shape[1]):
        votes += classes == classes[:, place : place + 1]
    votes[classes < 0] = 0
    return np.take_along_axis(classes, votes.argmax(axis=1)[:, None], axis=1)[:, 0]


def settle(
    setting: Setting,
    rows: Int64,
    columns: Int64,
    keys: NDArray[np.floating[Any]],
    classes: Int64,
    slack: NDArray[np.floating[Any]],
) -> Int64:
    """Classes of the nearest neighbours, those at equal distances in an order that rounding has no part in.

    Equal distances stand thus: other classes first, among them in gallery order, the query's own class last. Which
    ranks the own class holds is settled by the caller; here the neighbours of other classes whose keys are too close
    to call are measured again by direct difference. Only the columns given are looked at.

    Args:
        setting: queries and gallery.
        rows: (b,) query rows.
        columns: (b, m) gallery rows in order of their keys.
        keys: (b, m) approximate squared distances less a constant of the query, own class raised; inf for none.
        classes: (b, m) classes, -1 for none.
        slack: (b, k) how far off a key may be, for the first k.

    Returns:
        (b, k) classes, -1 for none.
    """
    count, k = slack.shape
    own = setting.query_codes[rows][:, None]
    limit = keys[:, k - 1 : k] + 2 * slack[:, -1:]
    row, place = np.nonzero((classes != own) & (classes >= 0) & (keys <= limit))
    column = columns[row, place]
    order = np.lexsort((column, pair_distances(setting.query, setting.gallery, rows[row], column), row))
    starts = np.searchsorted(row, np.arange(count))
    nth = np.arange(len(row)) - starts[row]
    others = np.full((count, k + 1), -1, dtype=np.int64)
    first = nth < k
    others[row[first], nth[first]] = classes[row, place][order][first]
    hits = classes[:, :k] == own
    before = np.cumsum(~hits, axis=1) - 1
    return np.where(hits, own, np.take_along_axis(others, before, axis=1))
