"""Who may have followed whom: the graph in time, and each post shared out among its possible predecessors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.rolemodels.posts import DAY
from doppelgram.rolemodels.scoring import Bool, Float64, Int64

# The decay is fitted between these, in days, on a grid of so many points; where nothing speaks for any, the usual one.
_SHORTEST, _LONGEST, _GRID = 0.5, 3650.0, 25
_USUAL, _BREADTH = 100.0, np.log(4)
# Log-odds beyond the typical match that still count.
_CLOSEST = 20.0


@dataclass(frozen=True)
class Matches:
    """Pairs of posts that match, in no order of time; arrays (m,).

    Attributes:
        left, right: positions of the two posts.
        odds: log-odds of the match.
        place, pose: probabilities of the same place and of the same pose.
        same_author: whether both posts are by the same author.
        closeness: weight of the match: the odds to the power gamma, in units of a typical match.
    """

    left: Int64
    right: Int64
    odds: Float64
    place: Float64
    pose: Float64
    same_author: Bool
    closeness: Float64

    def __len__(self) -> int:
        return len(self.left)

    def take(self, kept: NDArray[Any]) -> Matches:
        """Some of the matches, by position or mask."""
        return replace(self, **{name: getattr(self, name)[kept] for name in self.__dataclass_fields__})


@dataclass(frozen=True)
class Attribution:
    """Every dated match as an edge from the earlier to the later post, sorted by source, then target; arrays (e,).

    Attributes:
        match: which match the edge is.
        source, target: positions of the earlier and of the later post.
        lag: days between them.
        same_author: whether both are by the same author; such edges take their share and give no influence.
        weight: closeness times decay.
        share: of the later post, attributed to the earlier one: ``weight / (innovation + sum of weights)``.
        nobody: (n,) share of each post attributed to nobody: 1 without predecessors.
        decay: days in which the chance of being followed falls by 1/e.
    """

    match: Int64
    source: Int64
    target: Int64
    lag: Float64
    same_author: Bool
    weight: Float64
    share: Float64
    nobody: Float64
    decay: float


def closeness(odds: Float64, gamma: float) -> Float64:
    """Odds of matches to the power ``gamma``, in units of the median match, float64 (m,).

    A power of the probability, which is next to 1 for every pair of an arrangement, would hardly tell a repeat from any
    other picture of the same kind; the odds grow with every bit that two pictures come closer. The unit makes the
    weight of innovation mean the same for every model.
    """
    if not len(odds):
        return np.empty(0)
    return np.exp(np.minimum(gamma * (odds - np.median(odds)), _CLOSEST))


def attribute(matches: Matches, time: Float64, *, innovation: float, decay: float | None) -> Attribution:
    """Share every post out among those that precede and match it, and nobody.

    ``share(i -> j) = w_ij / (innovation + sum_k w_kj)`` with ``w_ij = closeness_ij * exp(-(t_j - t_i) / decay)``, over
    all earlier k. Best parents by such a rule are those of NetInf (Gomez-Rodriguez, Leskovec and Krause, Inferring
    networks of diffusion and influence, KDD 2010); shares instead of one parent are the responsibilities of a
    self-exciting process (Veen and Schoenberg, Journal of the American Statistical Association 103, 2008). Posts at
    the same second are in no order, and so no edge connects them.

    Args:
        matches: who matches whom.
        time: (n,) UTC seconds.
        innovation: weight of nobody.
        decay: in days; None: fitted.
    """
    gap = time[matches.right] - time[matches.left]
    dated = np.flatnonzero(gap != 0)
    forward = gap[dated] > 0
    source = np.where(forward, matches.left[dated], matches.right[dated])
    target = np.where(forward, matches.right[dated], matches.left[dated])
    order = np.lexsort((target, source))
    dated, source, target = dated[order], source[order], target[order]
    lag, same_author = np.abs(gap[dated]) / DAY, matches.same_author[dated]
    close, n = matches.closeness[dated], len(time)
    if decay is None:
        others = ~same_author
        decay = fitted_decay(close[others], lag[others], target[others], n, innovation)
    weight: Float64 = close * np.exp(-lag / decay)
    total = innovation + np.bincount(target, weight, n)
    share, nobody = weight / total[target], np.asarray(innovation / total)
    return Attribution(dated, source, target, lag, same_author, weight, share, nobody, decay)


def fitted_decay(close: Float64, lag: Float64, target: Int64, n: int, innovation: float) -> float:
    """The decay, in days, under which the closest predecessors are the likeliest to have been followed.

    If a predecessor is chosen with a chance that falls with its age, ``exp(-lag / decay)`` over the sum of that over
    all predecessors, the log-likelihood of decay is ``sum_j log(innovation + sum_i chance_ij * closeness_ij)``. Its
    maximum over a grid is taken. It depends only on which earlier post a post resembles, not on how often people post;
    fitting a self-exciting process instead gave 10 days where the truth was 150. A broad log-normal prior around 100
    days, within a factor of 16 either way in 95 %, decides where closeness says nothing.

    Args:
        close, lag, target: (e,) closeness, days and later post of the edges between different authors.
        n: number of posts.
        innovation: weight of nobody.
    """
    nearest = np.full(n, np.inf)
    np.minimum.at(nearest, target, lag)
    beyond = lag - nearest[target]  # from the nearest predecessor on, so that nothing underflows altogether
    followed = np.flatnonzero(np.isfinite(nearest))
    decays = np.geomspace(_SHORTEST, _LONGEST, _GRID)
    likelihood = -0.5 * (np.log(decays / _USUAL) / _BREADTH) ** 2
    for k, days in enumerate(decays.tolist()):
        chance = np.exp(-beyond / days)
        given = np.bincount(target, chance * close, n)[followed] / np.bincount(target, chance, n)[followed]
        likelihood[k] += np.log(innovation + given).sum()
    best = int(np.argmax(likelihood))
    if not 0 < best < _GRID - 1:
        return float(decays[best])
    # The vertex of the parabola through the best and its two neighbours, in the logarithm of the decay.
    before, at, after = likelihood[best - 1 : best + 2]
    step = 0.5 * (before - after) / (before - 2 * at + after)
    return float(decays[best] * (decays[1] / decays[0]) ** step)
