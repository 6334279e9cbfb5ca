"""What tracing posts gives: tidy tables, the curve against the shuffled clock, notes in plain sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from doppelgram.rolemodels.settings import TraceSettings

if TYPE_CHECKING:
    import networkx as nx

WORDING = "precedes and matches, more than a shuffled clock explains"
# An arrangement counts as one that spreads at this false discovery rate, a post as the likely origin from this
# probability on.
ALPHA, LIKELY = 0.05, 0.9


@dataclass(frozen=True)
class RoleModels:
    """Posts in order of how far they set what later posts repeat.

    Attributes:
        role_models: every post, best first. ``path``; ``arrangement`` (empty if it shares none); ``place_score`` and
            ``pose_score`` (mean probability of the same place and pose over the other authors' posts that it
            matches); ``author``; ``timestamp`` (UTC); ``parent`` (path of its most likely predecessor, empty if nobody
            is likelier); ``influence``; ``originality``; ``score``, their product; ``followers`` (posts whose parent
            it is); ``excess`` (attributed followers beyond those of shuffled clocks); ``origin`` (probability that it
            is the earliest post that others go back to, given that its arrangement spreads); ``rank_low``,
            ``rank_high``; then ``spread_p``, ``spread_q`` (of its arrangement; NaN where that is too small to be
            tested), ``rank``, ``attributed``, ``excess_low``, ``excess_high``,
            ``follower_authors``, ``total_followers``, ``depth``, ``half_life`` (days), ``first_repeat``,
            ``last_repeat`` (UTC, of all posts below it), ``place``, ``reposts`` (later posts of the same photograph),
            ``repost_of`` (path of the first post of it), ``status`` (``traced``, ``repost``, ``undated``,
            ``clock not set``, ``nobody in it``), and the further columns of the posts. Posts that were not traced come
            last, without numbers.
        edges: ``source``, ``target`` (paths, earlier to later), ``attribution``, ``probability``, ``place_score``,
            ``pose_score``, ``lag_days``, ``is_parent``, ``arrangement`` (of the target), ``view_points`` (matched
            points of the same view, 0 where they are too few to say so; unknown where nobody looked). Edges between
            posts of one author are left out, and those with an attribution under 0.01 unless from a parent.
        arrangements: ``arrangement``, ``posts``, ``authors``, ``place``, ``role_model`` (path of the post with the
            highest score), ``earliest`` (path), ``first``, ``last`` (UTC), and of the role model ``author``, ``score``,
            ``followers``, ``total_followers``, ``excess``; then ``spread_authors`` (dated posts, one an author),
            ``spread_p``, ``spread_q``: does it spread faster, or in more orderly steps, than a shuffled clock explains
            (NaN where not tested), ``shuffles`` that this took; ``originator`` (path of the likeliest) and ``origin``,
            its probability; the largest first.
        authors: ``author``, ``posts``, ``influence``, ``score``, ``attributed``, ``excess``, ``followers``,
            ``follower_authors``, ``arrangements_led``, ``best`` (path).
        places: ``place``, ``posts``, ``authors``, ``arrangements``, ``influence``, ``attributed``, ``excess``,
            ``best``.
        curve: ``days``, ``observed``, ``expected``, ``low``, ``high``: shares attributed within so many days, in all.
        robustness: ``threshold``, ``decay_days``, ``kept``, ``same_first``, ``correlation``, ``used`` (the line of the
            settings themselves).
        counts: how many ``posts``, ``traced``, ``undated``, ``clock_not_set``, ``nobody``, ``reposts`` (of an
            earlier post's photograph), ``aside`` (of these not traced), ``no_author``, ``tied``
            (matches at the same second), ``matches``, ``edges``, ``edges_left_out``, ``arrangements``, ``places``,
            ``capped`` posts; arrangements ``tested``, of these those that ``spread`` (q at most ALPHA), and of these
            those of which one post is the likely ``origin`` (LIKELY or more); ``place_neighbours`` that each place was
            averaged with, 0 where none was.
        overall: ``attributed``, ``expected``, ``p_value``: does anything follow anything more than a shuffled clock
            explains?
        settings: as given.
        threshold: probability used.
        decay_days: used.
        notes: plain sentences that a reader must know.
    """

    role_models: pd.DataFrame
    edges: pd.DataFrame
    arrangements: pd.DataFrame
    authors: pd.DataFrame
    places: pd.DataFrame
    curve: pd.DataFrame
    robustness: pd.DataFrame
    counts: dict[str, int]
    overall: dict[str, float]
    settings: TraceSettings
    threshold: float
    decay_days: float
    notes: tuple[str, ...]

    @property
    def traced(self) -> pd.DataFrame:
        """The rows of ``role_models`` that were traced, best first."""
        return self.role_models[self.role_models["status"] == "traced"].reset_index(drop=True)

    @property
    def leaders(self) -> pd.DataFrame:
        """The traced posts with a score above 0: those that somebody else repeated."""
        return self.traced[self.traced["score"] > 0]

    def graph(self) -> nx.DiGraph[Any]:
        """The posts that were traced and the edges between them, with plain numbers and text as attributes."""
        import networkx as nx

        graph: nx.DiGraph[Any] = nx.DiGraph()
        traced = self.traced
        names = ["arrangement", "author", "place", "influence", "originality", "score", "followers", "origin"]
        times = traced["timestamp"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        values = zip(*(traced[name].tolist() for name in names), strict=True)
        for path, time, row in zip(traced["path"], times, values, strict=True):
            graph.add_node(path, timestamp=time, **dict(zip(names, row, strict=True)))
        columns = ["source", "target", "attribution", "probability", "lag_days", "is_parent"]
        for source, target, share, *rest in zip(*(self.edges[name].tolist() for name in columns), strict=True):
            graph.add_edge(source, target, weight=share, **dict(zip(columns[3:], rest, strict=True)))
        return graph
