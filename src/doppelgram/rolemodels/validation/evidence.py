"""Evidence on worlds whose history is known: are probabilities true, and what did the tests of single posts see?"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from doppelgram.rolemodels.multiplicity import corrected
from doppelgram.rolemodels.null import Shuffles, add_one_p
from doppelgram.rolemodels.scoring import Bool, Float64, Int64
from doppelgram.rolemodels.spread import ENOUGH

# Posts of a lower probability are no candidates; there are very many of them, and they would hide every error.
CANDIDATE = 0.05
EDGES = (CANDIDATE, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True)
class Reliability:
    """Probabilities beside what is true, over the candidates.

    Attributes:
        bins: for each, the lowest and highest probability, mean probability, share that is true, and how many.
        error: mean difference of the middle two, weighted by how many (expected calibration error).
    """

    bins: list[tuple[float, float, float, float, int]]
    error: float


def reliability(probability: Float64, true: Bool, edges: tuple[float, ...] = EDGES) -> Reliability:
    """Compare probabilities (n,) with what is true (n,); those below the first edge are left out."""
    bins = []
    for low, high in pairwise(edges):
        inside = (probability >= low) & ((probability < high) | (high == edges[-1]))
        if inside.any():
            given, share = float(probability[inside].mean()), float(true[inside].mean())
            bins.append((low, high, given, share, int(inside.sum())))
    total = sum(row[4] for row in bins)
    return Reliability(bins, sum(abs(row[2] - row[3]) * row[4] for row in bins) / total if total else 0.0)


def smoothed(p_value: Float64, draws: Int64, rng: np.random.Generator) -> Float64:
    """P-values of `spread.Shuffling` spread evenly down to the next lower one that there is, (n,).

    They are steps, wide ones near 1, which a test for uniformity would take for a fault.
    """
    ended = np.isclose(p_value * draws, ENOUGH)
    below = np.where(ended, ENOUGH / (draws + 1), p_value - 1 / (draws + 1))
    return np.asarray(p_value - rng.random(len(p_value)) * (p_value - below))


def single_posts(shuffles: Shuffles, tested: Bool, seed: int) -> tuple[Float64, Float64]:
    """P- and q-values of each post by the shuffles of the whole clock, as they were reported before; (n,) each.

    A post that is first of m by chance has as many followers once in m shuffles, so that few can pass.
    """
    rng = np.random.default_rng([seed, 15])
    p_value = add_one_p(shuffles.observed.astype(np.float32), shuffles.drawn, rng)
    p_value[~tested] = 1.0
    q_value = np.ones(len(p_value))
    q_value[tested] = corrected(p_value[tested])
    return p_value, q_value


def group_sums(shuffles: Shuffles, groups: Int64, seed: int) -> Float64:
    """q-values of the sum of attributed followers of each group, as they were reported before; (groups,)."""
    count = int(groups.max(initial=-1)) + 1
    inside = groups >= 0
    sums = np.zeros((len(shuffles.drawn) + 1, count))
    for row, values in zip(sums, [shuffles.observed.astype(np.float32), *shuffles.drawn], strict=True):
        row[:] = np.bincount(groups[inside], values[inside], count)
    return corrected(add_one_p(sums[0], sums[1:], np.random.default_rng([seed, 16])))
