"""What a reader of the result must know: counts, and remarks in sentences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from doppelgram import numbers
from doppelgram.numbers import percent, plural
from doppelgram.rolemodels.posts import PostTable
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.tables import SMALLEST, place_codes
from doppelgram.rolemodels.traced import Findings, Grouping

# Share of the posts from which on one author is said to dominate, and how many posts there must be.
_FLOOD, _MANY = 0.2, 20


def count(posts: PostTable, groups: Grouping, found: Findings, clocks: NDArray[np.bool_], edges: int) -> dict[str, int]:
    """The numbers of `RoleModels.counts`."""
    gap = found.time[found.matches.left] == found.time[found.matches.right]
    whole = {
        "posts": len(posts),
        "traced": len(found.rows),
        "undated": (groups.people & np.isnan(posts.timestamp)).sum(),
        "clock_not_set": (groups.people & clocks).sum(),
        "nobody": (~groups.people).sum(),
        "no_author": (posts.author.astype(str) == "").sum(),
        "tied": gap.sum(),
        "matches": len(found.matches),
        "edges": edges,
        "edges_left_out": (~found.edges.same_author).sum() - edges,
        "arrangements": groups.arrangement.max(initial=-1) + 1,
        "places": len(np.unique(place_codes(posts, groups.place))),
        "capped": groups.candidates.capped,
        "tested": found.evidence.tested.sum(),
    }
    return {name: int(number) for name, number in whole.items()}


def notes(
    posts: PostTable, groups: Grouping, found: Findings, counts: dict[str, int], settings: TraceSettings
) -> tuple[str, ...]:
    """What was left out, and what would otherwise be misread."""
    remarks = []
    total = counts["posts"]
    if n := counts["nobody"]:
        remarks.append(
            f"{_posts(n)} of {total:,} {plural(n, 'shows', 'show')} nobody; without a pose there is no arrangement, so "
            f"{plural(n, 'it is', 'they are')} not traced."
        )
    if n := counts["undated"]:
        remarks.append(
            f"{_posts(n)} of {total:,} {plural(n, 'has', 'have')} no time; {plural(n, 'it is', 'they are')} listed in "
            "the arrangement, but nothing is said of what comes before or after."
        )
    if n := counts["clock_not_set"]:
        remarks.append(
            f"{_posts(n)} {plural(n, 'is', 'are')} dated 1970, years before the others: the time of a clock that was "
            f"never set. {plural(n, 'It counts', 'They count')} as undated."
        )
    if n := counts["no_author"]:
        remarks.append(
            f"{_posts(n)} {plural(n, 'has', 'have')} no author; each counts as by somebody else, so that somebody who "
            "repeats their own posts would count as a follower."
        )
    if n := counts["tied"]:
        remarks.append(
            f"{numbers.count(n, 'matching pair')} {plural(n, 'has', 'have')} the very same time; neither post precedes "
            "the other, so no edge connects them."
        )
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
    if n := counts["capped"]:
        remarks.append(
            f"{_posts(n)} {plural(n, 'matches', 'match')} more posts than are kept for each; only the closest matches "
            "count."
        )
    if not groups.candidates.exact:
        remarks.append(
            "Posts were compared with those of similar places only, not with all; a few matches may have been missed."
        )
    if n := counts["edges_left_out"]:
        edges = numbers.count(n, "edge")
        remarks.append(f"{edges} with an attribution under {SMALLEST:g} {plural(n, 'is', 'are')} not listed.")
    if settings.draws < 200 and counts["tested"]:
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


def _posts(n: int) -> str:
    return numbers.count(n, "post")
