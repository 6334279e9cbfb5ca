"""What `RoleModels` is made from: which posts belong together, and what is known of those that were traced."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from doppelgram.rolemodels.attribution import Attribution, Matches
from doppelgram.rolemodels.candidates import Candidates
from doppelgram.rolemodels.influence import Trees
from doppelgram.rolemodels.null import Evidence
from doppelgram.rolemodels.scoring import Bool, Float64, Int64
from doppelgram.rolemodels.spread import Spread


@dataclass(frozen=True)
class Grouping:
    """Which posts belong together, whatever their times; arrays (n,).

    Attributes:
        people: whether a person was found; only such posts have a pose and so an arrangement.
        arrangement: number of the arrangement, 0 the largest; -1 for posts that share theirs with too few.
        place: number of the place by the embeddings, 0 the largest.
        matches: pairs within an arrangement whose log-odds reach the lowest threshold of the sensitivity table. A pair
            that matches by itself while the groups around it do not is taken for a chance likeness.
        candidates: how these were found.
    """

    people: Bool
    arrangement: Int64
    place: Int64
    matches: Matches
    candidates: Candidates


@dataclass(frozen=True)
class Findings:
    """What is known of the m posts that were traced; every array (m,) unless its class says otherwise.

    ``origin`` is the probability of `originator.originator_probability`.
    """

    rows: Int64
    time: Float64
    matches: Matches
    edges: Attribution
    influence: Float64
    originality: Float64
    score: Float64
    trees: Trees
    evidence: Evidence
    spread: Spread
    origin: Float64
    rank: Int64
    rank_low: Int64
    rank_high: Int64
    robustness: pd.DataFrame
