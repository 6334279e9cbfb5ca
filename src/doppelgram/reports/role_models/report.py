"""The report: one page that needs nothing but itself, to be read on a screen or printed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from doppelgram.numbers import DAY, count, date, number, span
from doppelgram.reports.figures import inline_svg, svg_text
from doppelgram.reports.pages import Table, page, write_text
from doppelgram.reports.role_models.curves import attributed_curve, curve_label, leaders_figure
from doppelgram.reports.role_models.filmstrip import Follower, filmstrip
from doppelgram.reports.role_models.history import MOST_LEADERS, History
from doppelgram.reports.role_models.photographs import PhotographStore, Pictures
from doppelgram.reports.role_models.tables import report_tables, robustness_table
from doppelgram.reports.role_models.tree import Leaf, influence_tree
from doppelgram.rolemodels.findings import (
    HOW_TO_READ,
    LIMITS,
    claim,
    coarse,
    goes_beyond,
    lead,
    left_out,
    method,
    overall,
    place_text,
    robustness_note,
)
from doppelgram.rolemodels.result import RoleModels

MOST_TREES = 3
_PORTRAIT = 480


def write_report(
    found: RoleModels, file: Path | str, pictures: Pictures, *, title: str, about: Mapping[str, str] | None = None
) -> Path:
    """Write `report_html` into a file, whole or not at all."""
    return write_text(Path(file), report_html(found, pictures, title=title, about=about))


def report_html(found: RoleModels, pictures: Pictures, *, title: str, about: Mapping[str, str] | None = None) -> str:
    """The page's text, which has no script, and whose policy forbids every request.

    Args:
        found: what tracing gave.
        pictures: looks a post's picture up.
        title: of the page.
        about: programs and versions, by name, for the paragraph on method.
    """
    history = History(found)
    store = PhotographStore(pictures)
    leaders = [
        _leader(rank, post, history, pictures, store)
        for rank, post in enumerate(history.leaders.itertuples(index=False), start=1)
    ]
    note = robustness_note(found.robustness, found.settings.top) if len(found.robustness) else ""
    return page(
        "reports/role_models/report.html",
        title=title,
        lead=lead(found),
        figures=_figures(found),
        notes=found.notes,
        how_to_read=HOW_TO_READ,
        leaders=leaders,
        evidence=[overall(found), coarse(found)],
        curves=_curves(found, history),
        trees=_trees(history, store),
        robustness_note=note,
        robustness=robustness_table(found.robustness) if note else None,
        tables=report_tables(found.arrangements, found.authors, found.places) if len(found.arrangements) else (),
        method=[*method(found, about or {}), LIMITS],
        left_out=Table((), left_out(found), "nt"),
        most_leaders=MOST_LEADERS,
        most_trees=MOST_TREES,
        # Last, when everything that is drawn has been looked up.
        jpegs=store.jpegs,
    )


def _figures(found: RoleModels) -> list[tuple[str, str]]:
    """The numbers at the head of the page, each with its name."""
    counts = found.counts
    authors = found.role_models.loc[found.role_models["status"] == "traced", "author"]
    numbers = [
        (counts["traced"], "post traced", "posts traced"),
        (int(authors[authors != ""].nunique()), "author", "authors"),
        (counts.get("places", 0), "place", "places"),
        (counts["arrangements"], "arrangement", "arrangements"),
        (counts["posts"] - counts["traced"], "post kept out", "posts kept out"),
    ]
    return [(f"{n:,}", one if n == 1 else many) for n, one, many in numbers]


def _leader(rank: int, post: Any, history: History, pictures: Pictures, store: PhotographStore) -> dict[str, Any]:
    k = history.at[post.path]
    start = history.time[k]
    followers = [
        Follower(path, history.author[j], history.time[j], depth == 1, history.about.get(path, ""))
        for j, depth in history.below(k)
        for path in [history.path(j)]
    ]
    author = post.author or "author not known"
    facts = {
        "Direct followers": f"{int(post.followers):,}",
        "all generations": f"{int(post.total_followers):,}",
        "Rank": f"{rank} (95 %: {int(post.rank_low)} to {int(post.rank_high)})",
        "Originality": number(post.originality, 2),
    }
    if post.half_life == post.half_life:
        facts["Half of the attributed followers within"] = span(post.half_life * DAY)
    return {
        "rank": rank,
        "path": post.path,
        "author": author,
        "when": date(start),
        "place": place_text(post.place),
        "beyond": goes_beyond(post),
        "claim": claim(post),
        "facts": facts,
        "portrait": pictures(post.path, _PORTRAIT),
        "film": filmstrip(start, followers, store, author=author) if followers else None,
    }


def _curves(found: RoleModels, history: History) -> dict[str, Markup]:
    """Drawings against the shuffled clock by their captions; none where there is nothing to draw."""
    if history.leaders.empty or found.curve.empty:
        return {}
    every, one_by_one = attributed_curve(found.curve), leaders_figure(history.leaders)
    beside = "Attributed followers of the leading posts beside those with shuffled clocks"
    return {
        "All posts: followers attributed within a time": inline_svg(
            svg_text(every, "all"), "all", curve_label(found.curve)
        ),
        "The leading posts, one by one": inline_svg(svg_text(one_by_one, "leading"), "leading", beside),
    }


def _trees(history: History, store: PhotographStore) -> list[dict[str, Any]]:
    """The trees of the leading posts, none of them a part of another."""
    leaves = [
        Leaf(path, history.author[k], history.time[k], history.parent[k], history.about.get(path, ""))
        for path, k in history.at.items()
    ]
    drawn: set[int] = set()
    trees: list[dict[str, Any]] = []
    for post in history.leaders.itertuples(index=False):
        k = history.at[str(post.path)]
        below = [j for j, _ in history.below(k)]
        if k in drawn or len(below) < 2 or len(trees) == MOST_TREES:
            continue
        drawn |= {k, *below}
        tree = influence_tree(leaves, k, store)
        some = len(tree.nodes) < len(below) + 1
        trees.append(
            {
                "tree": tree,
                "author": post.author or "an author not known",
                "place": place_text(post.place),
                "followers": count(len(below), "follower"),
                "shown": f"{len(tree.nodes):,}" if some else "",
            }
        )
    return trees
