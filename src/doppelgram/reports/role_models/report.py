"""The report: one page that needs nothing but itself, to be read on a screen or printed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from doppelgram.numbers import DAY, count, date, number, percent, span
from doppelgram.reports.figures import inline_svg, svg_text
from doppelgram.reports.pages import Table, page, write_text
from doppelgram.reports.role_models.curves import attributed_curve, curve_label, leaders_figure
from doppelgram.reports.role_models.filmstrip import filmstrip
from doppelgram.reports.role_models.history import UNKNOWN_AUTHOR, History
from doppelgram.reports.role_models.photographs import PORTRAIT_SIDE, PhotographStore, Pictures
from doppelgram.reports.role_models.tables import report_tables, robustness_table
from doppelgram.reports.role_models.tree import influence_tree
from doppelgram.rolemodels.findings import (
    HOW_TO_READ,
    LIMITS,
    claim,
    goes_beyond,
    lead,
    left_out,
    overall,
    place_text,
    robustness_note,
    spreads,
)
from doppelgram.rolemodels.methods import method
from doppelgram.rolemodels.result import RoleModels

MOST_LEADERS, MOST_TREES = 10, 3


def write_report(
    found: RoleModels,
    file: Path | str,
    pictures: Pictures,
    *,
    title: str,
    about: Mapping[str, str] | None = None,
    source: str = "",
    alone: bool = False,
) -> Path:
    """Write `report_html` into a file, whole or not at all."""
    return write_text(Path(file), report_html(found, pictures, title=title, about=about, source=source, alone=alone))


def report_html(
    found: RoleModels,
    pictures: Pictures,
    *,
    title: str,
    about: Mapping[str, str] | None = None,
    source: str = "",
    alone: bool = False,
) -> str:
    """The page's text, which has no script, and whose policy forbids every request.

    Args:
        found: what tracing gave.
        pictures: looks a post's picture up.
        title: of the page.
        about: programs and versions, by name, for the paragraph on method.
        source: where the posts come from, in a few words, for the same.
        alone: whether the page stands without the tables that `trace` writes beside it.
    """
    history, leaders = History.of(found), found.leaders.head(MOST_LEADERS)
    store = PhotographStore(pictures)
    leading = [
        _leader(rank, post, history, store) for rank, post in enumerate(leaders.itertuples(index=False), start=1)
    ]
    note = robustness_note(found.robustness, found.settings.top) if len(found.robustness) else ""
    return page(
        "reports/role_models/report.html",
        title=title,
        lead=lead(found),
        figures=_figures(found),
        notes=found.notes,
        how_to_read=HOW_TO_READ,
        leaders=leading,
        evidence=[overall(found)],
        curves=_curves(found.curve, leaders),
        trees=_trees(leaders, history, store),
        robustness_note=note,
        robustness=robustness_table(found.robustness) if note else None,
        tables=report_tables(found) if len(found.arrangements) else (),
        method=[*method(found, about or {}, source), LIMITS],
        left_out=Table((), left_out(found), "nt"),
        alone=alone,
        most_leaders=MOST_LEADERS,
        most_trees=MOST_TREES,
        # Last, when everything that is drawn has been looked up.
        jpegs=store.jpegs,
    )


def _figures(found: RoleModels) -> list[tuple[str, str]]:
    """The numbers at the head of the page, each with its name."""
    counts, authors = found.counts, found.traced["author"]
    numbers = [
        (counts["traced"], "post traced", "posts traced"),
        (int(authors[authors != ""].nunique()), "author", "authors"),
        (counts.get("places", 0), "place", "places"),
        (counts["arrangements"], "arrangement", "arrangements"),
        (counts["posts"] - counts["traced"], "post kept out", "posts kept out"),
    ]
    return [(f"{n:,}", one if n == 1 else many) for n, one, many in numbers]


def _leader(rank: int, post: Any, history: History, store: PhotographStore) -> dict[str, Any]:
    k = history.at[post.path]
    facts = {
        "Direct followers": f"{int(post.followers):,}",
        "all generations": f"{int(post.total_followers):,}",
        "Rank": f"{rank} (95 %: {int(post.rank_low)} to {int(post.rank_high)})",
        "Originality": number(post.originality, 2),
    }
    if post.reposts:
        facts["Same photograph again"] = count(int(post.reposts), "post")
    if spreads(post):
        facts["Origin"] = percent(post.origin, 0)
    if views := history.views(k):
        said = sum(points > 0 for points in views)
        facts["Repeat the very view"] = f"{said} of {count(len(views), 'follower')} looked at, by matched points"
    if post.half_life == post.half_life:
        facts["Half of the attributed followers within"] = span(post.half_life * DAY)
    return {
        "rank": rank,
        "path": post.path,
        "author": post.author or UNKNOWN_AUTHOR,
        "when": date(history.posts[k].time),
        "place": place_text(post.place),
        "beyond": goes_beyond(post),
        "claim": claim(post),
        "facts": facts,
        "portrait": store.pictures(post.path, PORTRAIT_SIDE),
        "film": filmstrip(history, k, store) if k in history.children else None,
    }


def _curves(curve: pd.DataFrame, leaders: pd.DataFrame) -> dict[str, Markup]:
    """Drawings against the shuffled clock by their captions; none where there is nothing to draw."""
    if leaders.empty or curve.empty:
        return {}
    beside = "Attributed followers of the leading posts beside those with shuffled clocks"
    drawn = {
        "All posts: followers attributed within a time": ("all", attributed_curve(curve), curve_label(curve)),
        "The leading posts, one by one": ("leading", leaders_figure(leaders), beside),
    }
    return {
        caption: inline_svg(svg_text(figure, name), name, label) for caption, (name, figure, label) in drawn.items()
    }


def _trees(leaders: pd.DataFrame, history: History, store: PhotographStore) -> list[dict[str, Any]]:
    """The trees of the leading posts, none of them a part of another."""
    drawn: set[int] = set()
    trees: list[dict[str, Any]] = []
    for path, author, place in zip(leaders["path"], leaders["author"], leaders["place"], strict=True):
        k = history.at[path]
        below = history.below(k)
        if k in drawn or len(below) < 2 or len(trees) == MOST_TREES:
            continue
        drawn |= {k, *below}
        tree = influence_tree(history, k, store)
        trees.append(
            {
                "tree": tree,
                "author": author or f"an {UNKNOWN_AUTHOR}",
                "place": place_text(place),
                "followers": count(len(below), "follower"),
                "shown": f"{len(tree.nodes):,}" if len(tree.nodes) < len(below) + 1 else "",
            }
        )
    return trees
