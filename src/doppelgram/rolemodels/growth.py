"""How one arrangement grew, beside how it would have grown with the clock of its place shuffled."""

from __future__ import annotations

import numpy as np
import pandas as pd

from doppelgram.dataset.posts.posts import seconds_of
from doppelgram.rolemodels.posts import author_codes
from doppelgram.rolemodels.result import RoleModels
from doppelgram.rolemodels.spread import first_posts

# Points of a curve at most.
_POINTS = 120

HOW_TO_READ_GROWTH = (
    "The line counts the arrangement's authors as they came, each by the first post. The dashed line is what posts of "
    "the same place give on average if their times are dealt out at random; at any one moment 95 % of such shuffles "
    "lie in the band. A line that runs below the band and then climbs belongs to an arrangement that began late and "
    "then caught on."
)


def growth(found: RoleModels, arrangement: str) -> pd.DataFrame:
    """Authors of an arrangement up to each moment, observed and under shuffled clocks.

    Times are dealt out as the test of `spread.spread` deals them: only each author's first post in an arrangement
    counts, and the pool is the posts of the place where most of them are. How many of its m posts fall among the
    first k times of a pool of n is then hypergeometric, which gives mean and band without a draw.

    Args:
        found: the trace.
        arrangement: its name.

    Returns:
        ``time`` (UTC seconds, ascending), ``observed``, ``expected``, ``low`` and ``high`` (2.5 % and 97.5 %); no row
        where no post of the arrangement was traced.
    """
    from scipy.stats import hypergeom

    traced = found.traced
    time = seconds_of(traced["timestamp"])
    names, groups = np.unique(traced["arrangement"].to_numpy(dtype=str), return_inverse=True)
    groups = np.where(names[groups] == "", -1, groups)
    place = np.unique(traced["place"].to_numpy(dtype=str), return_inverse=True)[1]
    firsts = first_posts(groups, time, author_codes(traced["author"].to_numpy(dtype=str)))
    members = firsts[names[groups[firsts]] == arrangement] if len(names) else firsts
    members = members[groups[members] >= 0]
    columns = ["time", "observed", "expected", "low", "high"]
    if not len(members):
        return pd.DataFrame({name: np.empty(0) for name in columns})
    here = int(np.bincount(place[members]).argmax())
    pool = np.sort(time[np.union1d(firsts[place[firsts] == here], members)])
    at = np.unique(pool)
    at = at[np.unique(np.linspace(0, len(at) - 1, _POINTS).astype(np.int64))]
    so_far = np.searchsorted(pool, at, side="right")
    n, m = len(pool), len(members)
    low, high = (hypergeom.ppf(share, n, so_far, m) for share in (0.025, 0.975))
    observed = np.searchsorted(np.sort(time[members]), at, side="right")
    values = at, observed.astype(np.float64), m * so_far / n, low, high
    return pd.DataFrame(dict(zip(columns, values, strict=True)))
