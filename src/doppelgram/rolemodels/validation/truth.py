"""A trace beside the truth, where that is known: the sample world's, or a table that somebody wrote by hand."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.dataset.collection import BARE, JOIN
from doppelgram.dataset.image_table import match_paths
from doppelgram.dataset.posts.posts import seconds_of
from doppelgram.dataset.tables import read_table
from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.intervals import wilson
from doppelgram.numbers import interval, percent
from doppelgram.rolemodels.result import RoleModels
from doppelgram.rolemodels.validation.scores import adjusted_rand, forest_scores, originator_first, originators

MIN_POSTS = 8


@dataclass(frozen=True)
class TruthScores:
    """How a trace agrees with what truly happened.

    Attributes:
        posts: that show a person and of which the truth is known.
        adjusted_rand: of the arrangements found and true ones, over these posts.
        arrangements: with ``MIN_POSTS`` posts or more, in which somebody truly set something.
        originator_first: share of them in which the post that truly set it has the highest score.
        low, high: 95 % interval of that share (Wilson).
        earliest_right: share of the same arrangements whose earliest post is the one that truly set it: what one would
            reach who knew which posts belong together and took the earliest.
        earliest_first: share of the arrangements with ``MIN_POSTS`` posts or more in which their earliest post,
            whether or not anybody truly repeated it, has the highest score.
        root, edge, leaf, ancestry: agreement of the trees of most likely predecessors with the true ones, as shares of
            what either has (`doppelgram.rolemodels.validation.scores.ForestScores`).
        parents: share of the posts with a true parent whose parent was found.
    """

    posts: int
    adjusted_rand: float
    arrangements: int
    originator_first: float
    low: float
    high: float
    earliest_right: float
    earliest_first: float
    root: float
    edge: float
    leaf: float
    ancestry: float
    parents: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it; None where there was nothing to score."""
        return {name: None if value != value else value for name, value in asdict(self).items()}


def score_trace(found: RoleModels, truth: Path | str) -> TruthScores:
    """Compare a trace with a table of the truth.

    Args:
        found: the trace.
        truth: table with ``path``, ``arrangement`` and ``parent`` (a path, empty for none); arrangements that are empty
            or end in ``_zz`` are of bare places.

    Raises:
        DoppelgramError: the table cannot be used or knows none of the posts.
    """
    file = Path(truth).expanduser()
    table = read_table(file, ("path", "arrangement", "parent"), "a table of the truth")
    table.require_unique()
    at = match_paths(found.role_models["path"], table.rows["path"])
    if not (at >= 0).any():
        raise DoppelgramError(f"{file}: knows none of the posts by its column 'path'")
    posts = found.role_models[at >= 0].reset_index(drop=True)
    true = table.rows.iloc[at[at >= 0]]
    labels = true["arrangement"].to_numpy(dtype=object)
    bare = np.array([not label or label.rpartition(JOIN)[2] == BARE for label in labels], dtype=bool)
    arrangement = np.where(bare, -1, np.unique(labels.astype(str), return_inverse=True)[1])
    parent = match_paths(true["parent"], posts["path"])
    predicted = match_paths(posts["parent"], posts["path"])
    # Where a time is not known, nothing says who came first; such posts count as last.
    time = np.nan_to_num(seconds_of(posts["timestamp"]), nan=np.inf)
    groups = posts["arrangement"].to_numpy(dtype=object)
    grouped = np.where(groups == "", -1, np.unique(groups.astype(str), return_inverse=True)[1])
    score = posts["score"].to_numpy(dtype=np.float64)
    origin, firsts = originators(arrangement, parent, time, min_posts=MIN_POSTS), _earliest(arrangement, time)
    first, earliest = (originator_first(score, arrangement, asked) for asked in (origin, firsts))
    agreeing = [firsts[number] == post for number, post in origin.items()]
    interval = wilson(int(first.sum()), len(first)) if len(first) else (0.0, 1.0)
    forests = forest_scores(predicted, parent)
    has = parent >= 0
    return TruthScores(
        int((~bare).sum()),
        adjusted_rand(grouped[~bare], arrangement[~bare]),
        len(first),
        float(first.mean()) if len(first) else float("nan"),
        *interval,
        float(np.mean(agreeing)) if agreeing else float("nan"),
        float(earliest.mean()) if len(earliest) else float("nan"),
        **asdict(forests),
        parents=float((predicted[has] == parent[has]).mean()) if has.any() else float("nan"),
    )


def _earliest(arrangement: NDArray[np.int64], time: NDArray[np.float64]) -> dict[int, int]:
    """For each arrangement with ``MIN_POSTS`` posts or more its earliest post."""
    found = {}
    for number in np.unique(arrangement[arrangement >= 0]).tolist():
        members = np.flatnonzero(arrangement == number)
        if len(members) >= MIN_POSTS:
            found[int(number)] = int(members[np.argmin(time[members])])
    return found


def score_lines(scores: TruthScores) -> list[str]:
    """What a person reads of them."""
    lines = [
        f"arrangements recovered (adjusted Rand)  {scores.adjusted_rand:6.3f}  ({scores.posts:,} posts with a person)",
        f"true parent found                       {percent(scores.parents):>7}",
        f"trees: root, edge, leaf, ancestry       "
        f"{percent(scores.root):>7}, {percent(scores.edge)}, {percent(scores.leaf)}, {percent(scores.ancestry)} agree",
    ]
    if scores.arrangements:
        lines[:0] = [
            f"originator ranked first                 {percent(scores.originator_first):>7}  "
            f"({interval(scores.low, scores.high)}, n = {scores.arrangements} arrangements of {MIN_POSTS} posts or "
            "more)",
            f"originator is the earliest post         {percent(scores.earliest_right):>7}  (what the simplest rule "
            "would reach if it knew who belongs together)",
            f"earliest post ranked first              {percent(scores.earliest_first):>7}  (whether it is the "
            "originator or not)",
        ]
    return lines
