"""Evidence of the same view beside the leading pairs of a trace: followers that repeat the very view of a post."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from doppelgram.console import Progress
from doppelgram.numbers import count
from doppelgram.rolemodels.result import RoleModels
from doppelgram.view.finder import ViewFinder

MOST_PAIRS = 100
"""So many pairs are looked at: their photographs take about 0.3 s of one core each."""


def leading_pairs(found: RoleModels, most: int = MOST_PAIRS) -> list[int]:
    """Rows of ``found.edges`` from a parent to its follower: those of the best post first, the likeliest first."""
    edges = found.edges[found.edges["is_parent"].astype(bool)]
    rank = {path: k for k, path in enumerate(found.role_models["path"])}
    order = edges.assign(rank=edges["source"].map(rank)).sort_values(
        ["rank", "probability", "target"], ascending=[True, False, True], kind="stable"
    )
    return [int(row) for row in order.index[:most]]


def with_views(
    found: RoleModels, files: Mapping[str, Path], views: ViewFinder | None, progress: Progress
) -> RoleModels:
    """The trace with matched points in ``view_points`` of its leading edges, and a note of how many say something.

    Args:
        found: what tracing gave.
        files: each post's photograph by its path.
        views: compares photographs; None where nobody asks, and nothing is changed.
        progress: shows how far it is.
    """
    rows = leading_pairs(found) if views is not None else []
    if views is None or not rows:
        return found
    ends = found.edges.loc[rows, ["source", "target"]]
    pairs = [(files[source], files[target]) for source, target in zip(ends["source"], ends["target"], strict=True)]
    with progress.bar("looking for the same view", len({file for pair in pairs for file in pair})) as advance:
        compared = views.compare(pairs, advance)
    points = pd.Series(pd.NA, index=found.edges.index, dtype="Int64")
    for row, view in zip(rows, compared, strict=True):
        if view is not None:
            points[row] = view.shown
    said = int((points.fillna(0) > 0).sum())
    note = (
        f"Of {count(len(rows), 'leading pair')} of a post and its follower, {said:,} show the very same view by "
        "matched points (view_points in edges.csv); of the others this says nothing."
    )
    return replace(found, edges=found.edges.assign(view_points=points), notes=(*found.notes, note))
