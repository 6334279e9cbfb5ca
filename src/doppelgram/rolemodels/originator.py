"""Which post set an arrangement: for each the probability that the others go back to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from doppelgram.rolemodels.attribution import Attribution, Matches
from doppelgram.rolemodels.scoring import Float64, Int64, sigmoid

# A match beyond these neighbours may not have been kept, and so does not count against membership.
_KEPT = 64


@dataclass(frozen=True)
class Beliefs:
    """What the model takes for granted. Fitted to simulated worlds by tools/fit_originators.py.

    Attributes:
        unsure: chance that a post's clock, or what else is known of it, is so wrong that it cannot have been followed.
        membership: how far the mean match with the others speaks for membership.
        offset, slope: map from the model's log-odds to true ones.
    """

    unsure: float = 0.02
    membership: float = 0.5
    offset: float = -0.157
    slope: float = 0.559


FITTED = Beliefs()


def originator_probability(
    graph: Attribution, matches: Matches, groups: Int64, time: Float64, beliefs: Beliefs = FITTED
) -> Float64:
    """Probability that each post is the earliest of its arrangement that any other goes back to, (n,); 0 outside.

    Given the times, each post j chooses whom it follows by its shares a_kj, independently, or nobody: an invention of
    its own, or a post that was not collected. Shares count as far as both posts are surely members and the earlier
    one's clock surely right. Nobody follows any of the first k posts with probability

        F_k = prod_j (1 - sum_{i <= k} a_ij),

    so post k is the earliest that is followed with probability F_{k-1} - F_k. What all posts of an arrangement lack to
    1 is the probability that none of them is followed. The map fitted to simulated worlds comes last.

    Args:
        graph: shares; those between posts of one author take part and give nothing.
        matches: the same that the graph was made of.
        groups: (n,) arrangement of each post, -1 for none.
        time: (n,) UTC seconds.
        beliefs: for fitting; the fitted ones.
    """
    n = len(time)
    member = membership(matches, groups, beliefs.membership)
    share = (1 - beliefs.unsure) * graph.share * member[graph.source] * member[graph.target]
    share[graph.same_author] = 0.0
    order = np.lexsort((graph.source, time[graph.source], graph.target))
    source, target = graph.source[order], graph.target[order]
    running = np.cumsum(share[order])
    before = running - share[order]
    starts = np.flatnonzero(np.diff(target, prepend=-1))
    base = np.repeat(before[starts], np.diff(np.append(starts, len(target))))
    ceiling = 1 - 1e-9
    change = np.log1p(-np.minimum(running - base, ceiling)) - np.log1p(-np.clip(before - base, 0.0, ceiling))
    step = np.bincount(source, np.minimum(change, 0.0), n)
    inside = np.flatnonzero(groups >= 0)
    inside = inside[np.lexsort((inside, time[inside], groups[inside]))]
    result = np.zeros(n)
    if not len(inside):
        return result
    at = groups[inside]
    starts = np.flatnonzero(np.diff(at, prepend=-1))
    sizes = np.diff(np.append(starts, len(at)))
    log_f = np.cumsum(step[inside])
    log_f -= np.repeat((log_f - step[inside])[starts], sizes)
    chance = np.exp(log_f - step[inside]) - np.exp(log_f)
    chance = calibrated(chance, beliefs)
    chance /= np.repeat(np.maximum(np.add.reduceat(chance, starts), 1.0), sizes)
    result[inside] = chance
    return result


def membership(matches: Matches, groups: Int64, weight: float) -> Float64:
    """Probability that each post belongs to its arrangement: ``weight`` times its mean log-odds with the others."""
    n = len(groups)
    odds, found = (
        np.bincount(matches.left, weights, n) + np.bincount(matches.right, weights, n)
        for weights in (matches.odds, np.ones(len(matches)))
    )
    sizes = np.bincount(groups[groups >= 0], minlength=1)
    others = np.minimum(np.where(groups >= 0, sizes[groups] - 1, 0), _KEPT)
    return sigmoid(weight * odds / np.maximum(np.maximum(found, others), 1))


def calibrated(chance: Float64, beliefs: Beliefs) -> Float64:
    """Model probabilities as simulated worlds bear them out (Platt's map; 0 stays 0)."""
    inner = np.clip(chance, 1e-12, 1 - 1e-12)
    return np.where(chance <= 0, 0.0, sigmoid(beliefs.offset + beliefs.slope * (np.log(inner) - np.log1p(-inner))))
