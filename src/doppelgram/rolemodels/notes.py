"""What a reader of the result must know, counted and said in plain sentences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from doppelgram.rolemodels.findings import Findings, Grouping
from doppelgram.rolemodels.posts import PostTable
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.tables import SMALLEST, place_codes

# Share of the posts from which on one author is said to dominate, and how many posts there must be.
_FLOOD, _MANY = 0.2, 20


def count(
    posts: PostTable, groups: Grouping, found: Findings, clocks: NDArray[np.bool_], edges: int
) -> dict[str, int]:  # fmt: skip
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
) -> tuple[str, ...]:  # fmt: skip
    """What was left out, and what would otherwise be misread."""
    said = []
    total = counts["posts"]
    if counts["nobody"]:
        said.append(
            f"{_posts(counts['nobody'])} of {total:,} show nobody; without a pose they form no arrangement and are not "
            "traced."
        )
    if counts["undated"]:
        said.append(
            f"{_posts(counts['undated'])} of {total:,} have no time; they are listed under their arrangement but "
            "nothing is said of what they precede."
        )
    if counts["clock_not_set"]:
        said.append(
            f"{_posts(counts['clock_not_set'])} are dated 1970, years before the others: the time of a clock that was "
            "never set. They count as undated."
        )
    if counts["no_author"]:
        said.append(
            f"{_posts(counts['no_author'])} have no author; each is taken to be by somebody else, so that somebody who "
            "repeats their own posts would count as a follower."
        )
    if counts["tied"]:
        said.append(
            f"{counts['tied']:,} matching pairs have the very same time; neither of the two precedes the other, so no "
            "edge connects them."
        )
    if counts["traced"] < 2:
        said.append("Fewer than two posts could be traced, so nothing can be said of who followed whom.")
    elif not len(found.matches):
        said.append("No two posts match at this threshold, so there is no role model among them.")
    elif found.matches.same_author.all():
        said.append("All posts that match are by the same author, so nobody else's post follows any.")
    elif not len(found.edges.source):
        said.append("All posts that match have the very same time, so none precedes another.")
    if len(found.rows) >= _MANY:
        _flood(posts, found, said)
        if len(found.matches) and counts["arrangements"] == 1 and (groups.arrangement[found.rows] >= 0).all():
            said.append("All posts are of one arrangement: order in time is all that tells them apart.")
    if counts["capped"]:
        said.append(
            f"{_posts(counts['capped'])} match more posts than are kept for each; only the closest matches of "
            "those count."
        )
    if not groups.candidates.exact:
        said.append(
            "Posts were compared with those of similar places only, not with all; a few matches may have been missed."
        )
    if counts["edges_left_out"]:
        said.append(f"{counts['edges_left_out']:,} edges with an attribution under {SMALLEST:g} are not listed.")
    if settings.draws < 200 and counts["tested"]:
        said.append(
            f"Only {settings.draws} shuffles of the clock were drawn; take 200 or more for figures you publish."
        )
    return tuple(said)


def _flood(posts: PostTable, found: Findings, said: list[str]) -> None:
    codes = posts.author_codes[found.rows]
    numbers, sizes = np.unique(codes, return_counts=True)
    share = sizes.max() / len(codes)
    if share > _FLOOD:
        row = found.rows[np.argmax(codes == numbers[np.argmax(sizes)])]
        said.append(
            f"One author, {posts.author[row]}, made {share:.0%} of the posts; repeating oneself gives no influence, "
            "and the column follower_authors counts every follower once."
        )


def _posts(number: int) -> str:
    return f"{number:,} post" if number == 1 else f"{number:,} posts"
