"""Rows of a trace's tables as the REST interface shows them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from doppelgram.rolemodels.findings import about_arrangement, claim, goes_beyond, place_text, spreads
from doppelgram.rolemodels.result import LIKELY
from doppelgram.web.routes.common import moment
from doppelgram.web.shown_traces import (
    ArrangementShown,
    AuthorShown,
    Bin,
    CurvePoint,
    Follower,
    PlaceShown,
    PostShown,
)
from doppelgram.web.traces import Traced


def number_of(name: str) -> int | None:
    """The number in an arrangement's name: 3 of ``a003``; None for posts of none."""
    return int(name[1:]) if name else None


def each(table: pd.DataFrame) -> list[Any]:
    """The rows of a table, columns by name."""
    return list(table.itertuples(index=False))


def known(value: Any) -> Any:
    """A number of a table as plain Python has it, None where there is none."""
    if value is None or pd.isna(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def post_facts(traced: Traced, post: Any) -> dict[str, Any]:
    """A row of `RoleModels.role_models` by the names of `PostShown`."""
    numbers = ("score", "influence", "originality", "rank_low", "rank_high", "followers", "total_followers")
    was_traced = post.status == "traced"
    attributed, excess = known(post.attributed), known(post.excess)
    return {
        "path": post.path,
        "image": traced.row_of.get(post.path),
        "author": post.author,
        "timestamp": moment(post.timestamp),
        "place": place_text(post.place),
        "arrangement": number_of(post.arrangement),
        "status": post.status,
        **{name: known(getattr(post, name)) for name in numbers},
        "attributed": attributed,
        "expected": None if attributed is None or excess is None else attributed - excess,
        "origin": known(post.origin) if spreads(post) else None,
        "likely_origin": goes_beyond(post),
        "claim": claim(post) if was_traced else "",
    }


def post_shown(traced: Traced, post: Any) -> PostShown:
    """A row of `RoleModels.role_models`."""
    return PostShown(**post_facts(traced, post))


def follower_shown(traced: Traced, post: Any) -> Follower:
    """The same, and whom it follows."""
    edge = traced.predecessors.get(post.path)
    return Follower(
        **post_facts(traced, post),
        parent=post.parent or None,
        parent_image=traced.row_of.get(post.parent),
        share=None if edge is None else known(edge.attribution),
        probability=None if edge is None else known(edge.probability),
        lag_days=None if edge is None else known(edge.lag_days),
    )


def arrangement_shown(traced: Traced, row: Any) -> ArrangementShown:
    """A row of `RoleModels.arrangements`."""
    return ArrangementShown(
        number=int(row.arrangement[1:]),
        name=row.arrangement,
        place=place_text(row.place),
        posts=int(row.posts),
        authors=int(row.authors),
        first=moment(row.first),
        last=moment(row.last),
        spread_p=known(row.spread_p),
        spread_q=known(row.spread_q),
        spreads=spreads(row),
        originator=traced.row_of.get(row.originator),
        originator_path=row.originator,
        origin=known(row.origin),
        about=about_arrangement(row),
    )


def authors_shown(traced: Traced, table: pd.DataFrame) -> list[AuthorShown]:
    """Rows of `RoleModels.authors`."""
    return [
        AuthorShown(
            author=row.author,
            posts=int(row.posts),
            followers=int(row.followers),
            attributed=float(row.attributed),
            excess=float(row.excess),
            influence=float(row.influence),
            led=int(row.arrangements_led),
            best=traced.row_of.get(row.best),
        )
        for row in each(table)
    ]


def places_shown(traced: Traced, table: pd.DataFrame) -> list[PlaceShown]:
    """Rows of `RoleModels.places`."""
    return [
        PlaceShown(
            place=place_text(row.place),
            posts=int(row.posts),
            authors=int(row.authors),
            arrangements=int(row.arrangements),
            attributed=float(row.attributed),
            excess=float(row.excess),
            best=traced.row_of.get(row.best),
        )
        for row in each(table)
    ]


def curve_shown(curve: pd.DataFrame, at: str) -> list[CurvePoint]:
    """A curve beside shuffled clocks, whose column ``at`` is the axis."""
    columns = (at, "observed", "expected", "low", "high")
    values = zip(*(curve[name].tolist() for name in columns), strict=True) if len(curve) else ()
    return [CurvePoint(at=a, observed=b, expected=c, low=d, high=e) for a, b, c, d, e in values]


def bins_shown(traced: Traced, row: Any, first: pd.Timestamp, last: pd.Timestamp, parts: int) -> list[Bin]:
    """The dated posts of an arrangement in equal parts of a time from ``first`` to ``last``, empty parts left out."""
    posts = traced.by_arrangement[row.arrangement]
    posts = posts[posts["status"] == "traced"]
    span = max((last - first) / pd.Timedelta(seconds=1), 1.0)
    at = ((posts["timestamp"] - first) / pd.Timedelta(seconds=1) / span * parts).astype(int).clip(upper=parts - 1)
    bins = []
    groups: list[tuple[Any, pd.DataFrame]] = list(posts.groupby(at.to_numpy(), sort=True))
    for part, some in groups:
        likely = (some["path"] == row.originator) & bool(spreads(row) and row.origin >= LIKELY)
        shown = some[likely].iloc[0] if likely.any() else some.iloc[0]
        bins.append(
            Bin(
                at=int(part),
                posts=len(some),
                image=traced.row_of.get(shown["path"]),
                author=shown["author"],
                timestamp=shown["timestamp"].to_pydatetime(warn=False),
                origin=bool(likely.any()),
            )
        )
    return bins
