"""What a reader of the result must know: counts, and remarks in sentences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from doppelgram import numbers
from doppelgram.numbers import percent, plural
from doppelgram.rolemodels.posts import PostTable
from doppelgram.rolemodels.result import ALPHA, LIKELY
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.tables import SMALLEST, place_codes
from doppelgram.rolemodels.traced import Findings, Grouping

# Share of the posts from which on one author is said to dominate, and how many posts there must be.
_FLOOD, _MANY = 0.2, 20

# Words of the sentences below as they stand after a single one, and after several.
_PLURALS = {
    "post": "posts",
    "pair": "pairs",
    "edge": "edges",
    "has": "have",
    "is": "are",
    "shows": "show",
    "counts": "count",
    "matches": "match",
    "it": "they",
    "It": "They",
}
_REMARKS = {
    "nobody": "{n} {post} of {total} {shows} nobody; without a pose there is no arrangement, so {it} {is} not traced.",
    "undated": "{n} {post} of {total} {has} no time; {it} {is} listed in the arrangement, but nothing is said of what "
    "comes before or after.",
    "clock_not_set": "{n} {post} {is} dated where clocks start (1970, 1980, 2000), years from the others: the time of "
    "a clock that was never set. {It} {counts} as undated.",
    "aside": "{n} {post} {shows} the photograph of an earlier post again; {it} {is} listed with it and {counts} for "
    "nothing else (--reposts count changes that).",
    "no_author": "{n} {post} {has} no author; each counts as by somebody else, so that somebody who repeats their own "
    "posts would count as a follower.",
    "tied": "{n} matching {pair} {has} the very same time; neither post precedes the other, so no edge connects them.",
    "capped": "{n} {post} {matches} more posts than are kept for each; only the closest matches count.",
    "edges_left_out": "{n} {edge} with an attribution under {smallest:g} {is} not listed.",
}
_LEFT_OUT = ("aside", "nobody", "undated", "clock_not_set", "no_author", "tied")


def count(
    posts: PostTable,
    groups: Grouping,
    found: Findings,
    clocks: NDArray[np.bool_],
    again: NDArray[np.int64],
    aside: NDArray[np.bool_],
    edges: int,
) -> dict[str, int]:
    """The numbers of `RoleModels.counts`."""
    spreads = found.spread.tested & (found.spread.q_value <= ALPHA)
    best, grouped = np.zeros(len(spreads)), groups.arrangement[found.rows]
    np.maximum.at(best, grouped[grouped >= 0], found.origin[grouped >= 0])
    gap = found.time[found.matches.left] == found.time[found.matches.right]
    whole = {
        "posts": len(posts),
        "traced": len(found.rows),
        "undated": (groups.people & ~aside & np.isnan(posts.timestamp)).sum(),
        "clock_not_set": (groups.people & ~aside & clocks).sum(),
        "nobody": (~groups.people).sum(),
        "reposts": (again >= 0).sum(),
        "aside": (groups.people & aside).sum(),
        "no_author": (posts.author.astype(str) == "").sum(),
        "tied": gap.sum(),
        "matches": len(found.matches),
        "edges": edges,
        "edges_left_out": (~found.edges.same_author).sum() - edges,
        "arrangements": groups.arrangement.max(initial=-1) + 1,
        "places": len(np.unique(place_codes(posts, groups.place))),
        "capped": groups.candidates.capped,
        "tested": found.spread.tested.sum(),
        "spread": spreads.sum(),
        "origin": (spreads & (best >= LIKELY)).sum(),
    }
    return {name: int(number) for name, number in whole.items()}


def notes(
    posts: PostTable, groups: Grouping, found: Findings, counts: dict[str, int], settings: TraceSettings
) -> tuple[str, ...]:
    """What was left out, and what would otherwise be misread."""
    remarks = [_remark(key, counts) for key in _LEFT_OUT if counts[key]]
    if counts["traced"] < 2:
        remarks.append("Fewer than two posts could be traced, so nothing can be said of who followed whom.")
    elif not len(found.matches):
        remarks.append("No two posts match at this threshold, so there is no role model among them.")
    elif found.matches.same_author.all():
        remarks.append("All posts that match are by the same author, so nobody else's post follows any.")
    elif not len(found.edges.source):
        remarks.append("All posts that match have the very same time, so none precedes another.")
    if len(found.rows) >= _MANY:
        remarks += _flood(posts, found)
        if len(found.matches) and counts["arrangements"] == 1 and (groups.arrangement[found.rows] >= 0).all():
            remarks.append("All posts are of one arrangement: order in time is all that tells them apart.")
    if counts["capped"]:
        remarks.append(_remark("capped", counts))
    if not groups.candidates.exact:
        remarks.append(
            "Posts were compared with those of similar places only, not with all; a few matches may have been missed."
        )
    if counts["edges_left_out"]:
        remarks.append(_remark("edges_left_out", counts))
    if settings.draws < 200 and counts["edges"]:
        remarks.append(
            f"Only {numbers.count(settings.draws, 'shuffle')} of the clock {plural(settings.draws, 'was', 'were')} "
            "drawn; take 200 or more for figures you publish."
        )
    return tuple(remarks)


def _flood(posts: PostTable, found: Findings) -> list[str]:
    codes = posts.author_codes[found.rows]
    authors, sizes = np.unique(codes, return_counts=True)
    share = sizes.max() / len(codes)
    if share <= _FLOOD:
        return []
    row = found.rows[np.argmax(codes == authors[np.argmax(sizes)])]
    return [
        f"One author, {posts.author[row]}, made {percent(share, 0)} of the posts; repeating oneself gives no "
        "influence, and the column follower_authors counts every follower once."
    ]


def _remark(key: str, counts: dict[str, int]) -> str:
    """The sentence on one of the counts, in the singular or the plural."""
    n = counts[key]
    words = {one: plural(n, one, many) for one, many in _PLURALS.items()}
    return _REMARKS[key].format(n=f"{n:,}", total=f"{counts['posts']:,}", smallest=SMALLEST, **words)
