"""The report: one page that needs nothing but itself, to be read on a screen or printed."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd

from doppelgram.files import written_whole
from doppelgram.reports.role_models.axis import date_text, length_text
from doppelgram.reports.role_models.curve import draw_curve, draw_excess
from doppelgram.reports.role_models.film import Follower, filmstrip
from doppelgram.reports.role_models.photographs import PORTRAIT_SIDE
from doppelgram.reports.role_models.pictures import Album, Pictures, portrait
from doppelgram.reports.role_models.tables import arrangements_table, authors_table, places_table, robustness_table
from doppelgram.reports.role_models.tree import Leaf, influence_tree
from doppelgram.reports.role_models.words import (
    HOW_TO_READ,
    LIMITS,
    claim,
    coarse,
    count,
    figure,
    goes_beyond,
    lead,
    left_out,
    method,
    overall,
    place_text,
    robustness_note,
)
from doppelgram.rolemodels.result import RoleModels

MOST_LEADERS, MOST_TREES = 10, 3
DAY = 86_400.0


def write_report(
    found: RoleModels, file: Path | str, pictures: Pictures, *, title: str, about: Mapping[str, str] | None = None
) -> Path:
    """Write `report_html` into a file, whole or not at all."""
    file = Path(file)
    text = report_html(found, pictures, title=title, about=about)
    with written_whole(file) as aside:
        aside.write_text(text, encoding="utf-8", errors="replace")
    return file


def report_html(
    found: RoleModels, pictures: Pictures, *, title: str, about: Mapping[str, str] | None = None
) -> str:  # fmt: skip
    """The page's text.

    Whatever posts say of themselves is put in escaped, the page has no script, and its policy forbids every request.

    Args:
        found: what tracing gave.
        pictures: looks a post's picture up.
        title: of the page.
        about: programs and versions, by name, for the paragraph on method.
    """
    history = _History(found)
    album = Album(pictures)
    sections = [
        _leaders(found, history, pictures, album),
        _evidence(found, history),
        _trees(found, history, album),
        _robustness(found),
        _tables(found),
        _method(found, about or {}),
    ]
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in found.notes)
    values = {
        "title": html.escape(title),
        "style": files("doppelgram.reports.role_models").joinpath("report.css").read_text(encoding="utf-8"),
        "album": album.definitions(),
        "lead": html.escape(lead(found)),
        "figures": _figures(found),
        "notes": f'<ul class="notes">{notes}</ul>' if notes else "",
        "sections": "\n".join(filter(None, sections)),
        "footer": html.escape(_footer(found)),
    }
    page = files("doppelgram.reports.role_models").joinpath("report.html").read_text(encoding="utf-8")
    # One pass, so that nothing that was put in is looked through again.
    return re.sub(r"@@(\w+)@@", lambda match: values[match[1]], page)


class _History:
    """Who follows whom, for drawing."""

    def __init__(self, found: RoleModels) -> None:
        table = found.role_models
        traced = table[table["status"] == "traced"].reset_index(drop=True)
        self.traced = traced
        self.leaders = traced[traced["score"] > 0].head(MOST_LEADERS)
        self.at = {path: k for k, path in enumerate(traced["path"].tolist())}
        self.parent = [self.at.get(path, -1) for path in traced["parent"].tolist()]
        since = pd.Timestamp(0, tz="UTC")
        self.time = ((traced["timestamp"] - since) / pd.Timedelta(seconds=1)).tolist()
        self.author = traced["author"].astype(str).tolist()
        self.children: dict[int, list[int]] = {}
        for k, parent in enumerate(self.parent):
            if parent >= 0:
                self.children.setdefault(parent, []).append(k)
        parents = found.edges[found.edges["is_parent"].astype(bool)]
        self.about = {
            target: f"probability of a match {probability:.2f}"
            for target, probability in zip(parents["target"], parents["probability"], strict=True)
        }

    def below(self, post: int) -> list[tuple[int, int]]:
        """The posts below one, each with the length of the chain to it."""
        found, waiting = [], [(child, 1) for child in self.children.get(post, [])]
        while waiting:
            k, depth = waiting.pop()
            found.append((k, depth))
            waiting += [(child, depth + 1) for child in self.children.get(k, [])]
        return found

    def path(self, k: int) -> str:
        return str(self.traced["path"].iat[k])


def _figures(found: RoleModels) -> str:
    counts = found.counts
    authors = found.role_models.loc[found.role_models["status"] == "traced", "author"]
    pairs = [
        (counts["traced"], "posts traced"),
        (int(authors[authors != ""].nunique()), "authors"),
        (counts.get("places", 0), "places"),
        (counts["arrangements"], "arrangements"),
        (counts["posts"] - counts["traced"], "posts kept out"),
    ]
    return "".join(f"<div><dt>{name}</dt><dd>{number:,}</dd></div>" for number, name in pairs)


def _leaders(found: RoleModels, history: _History, pictures: Pictures, album: Album) -> str:
    if history.leaders.empty:
        return ""
    items = [_leader(rank, post, history, pictures, album) for rank, post in enumerate(_rows(history.leaders), start=1)]
    key = _key(
        ('<circle class="root" cx="11" cy="7" r="6"/>', "the post"),
        ('<circle class="direct" cx="11" cy="7" r="4"/>', "direct follower"),
        ('<circle class="later" cx="11" cy="7" r="3.4"/>', "follower of followers"),
    )
    return (
        f'<section id="leaders"><h2>Leading role models</h2><p class="quiet">{html.escape(HOW_TO_READ)}</p>{key}'
        f'<ol class="models">{"".join(items)}</ol></section>'
    )


def _leader(rank: int, post: Any, history: _History, pictures: Pictures, album: Album) -> str:
    k = history.at[post.path]
    start = history.time[k]
    followers = [
        Follower(
            history.path(j), history.author[j], history.time[j], depth == 1, history.about.get(history.path(j), "")
        )
        for j, depth in history.below(k)
    ]
    picture = pictures(post.path, PORTRAIT_SIDE)
    author = post.author or "author not known"
    described = f"Photograph by {author}, {date_text(start)}"
    shown = portrait(picture, described) if picture else '<div class="blank-portrait">no picture</div>'
    where = f" · {html.escape(place_text(post.place))}" if place_text(post.place) else ""
    facts = [
        ("Direct followers", f"{int(post.followers):,}"),
        ("all generations", f"{int(post.total_followers):,}"),
        ("Rank", f"{rank} (95 %: {int(post.rank_low)}–{int(post.rank_high)})"),
        ("Originality", figure(post.originality, 2)),
    ]
    if post.half_life == post.half_life:
        facts.append(("Half of the attributed followers within", length_text(post.half_life * DAY)))
    listed = "".join(f"<div><dt>{name}</dt><dd>{html.escape(value)}</dd></div>" for name, value in facts)
    told = f"{count(len(followers), 'follower')} of the post by {author} along a time axis"
    film = filmstrip(start, followers, album, label=told) if followers else ""
    return (
        f'<li class="{"beyond" if goes_beyond(post) else "within"}"><figure>{shown}</figure><div><div class="who"><h3>'
        f'<span class="rank">{rank}</span>{html.escape(author)}</h3>'
        f'<span class="quiet">{date_text(start)}{where}</span></div><p class="claim">{html.escape(claim(post))}</p>'
        f'<dl class="facts">{listed}</dl>{film}<p class="file">{html.escape(post.path)}</p></div></li>'
    )


def _evidence(found: RoleModels, history: _History) -> str:
    told = html.escape(f"{overall(found)} {coarse(found)}".strip())
    text = f'<section id="evidence"><h2>Against the shuffled clock</h2><p>{told}</p>'
    if history.leaders.empty or found.curve.empty:
        return text + "</section>"
    key = _key(
        ('<path class="observed" d="M0 7H22"/>', "as posted"),
        ('<path class="shuffled" d="M0 7H22"/>', "mean of shuffled clocks"),
        ('<rect class="band" width="22" height="14"/>', "95 % of shuffled clocks"),
    )
    return (
        f'{text}{key}<div class="curves"><figure><figcaption>All posts: followers attributed within a time</figcaption>'
        f"{draw_curve(found.curve)}</figure><figure><figcaption>The leading posts, one by one</figcaption>"
        f"{draw_excess(history.leaders)}</figure></div></section>"
    )


def _trees(found: RoleModels, history: _History, album: Album) -> str:
    drawn: set[int] = set()
    figures: list[str] = []
    leaves = [
        Leaf(path, history.author[k], history.time[k], history.parent[k], history.about.get(path, ""))
        for path, k in history.at.items()
    ]
    for post in _rows(history.leaders):
        k = history.at[post.path]
        below = [j for j, _ in history.below(k)]
        if k in drawn or len(below) < 2 or len(figures) == MOST_TREES:
            continue
        drawn |= {k, *below}
        author = post.author or "an author not known"
        svg, shown = influence_tree(
            leaves, k, album, label=f"Tree of {count(len(below), 'post')} below one by {author}"
        )
        where = f" at {place_text(post.place)}" if place_text(post.place) else ""
        some = f"; the {shown:,} with most followers are drawn" if shown < len(below) + 1 else ""
        caption = (
            f"<b>{html.escape(author)}</b>{html.escape(where)}: "
            f"{count(len(below), 'follower')} over all generations{some}"
        )
        figures.append(f"<figure><figcaption>{caption}</figcaption>{svg}</figure>")
    if not figures:
        return ""
    return (
        '<section id="trees"><h2>Influence trees</h2><p class="quiet">From left to right in time; each post hangs from '
        "the one among its predecessors that it most likely follows.</p>"
        f'<div class="trees">{"".join(figures)}</div></section>'
    )


def _robustness(found: RoleModels) -> str:
    note = robustness_note(found.robustness, found.settings.top) if len(found.robustness) else ""
    if not note:
        return ""
    return (
        f'<section id="robustness"><h2>Does it hold?</h2><p>{html.escape(note)}</p>'
        f"{robustness_table(found.robustness)}</section>"
    )


def _tables(found: RoleModels) -> str:
    if found.arrangements.empty:
        return ""
    parts = [arrangements_table(found.arrangements), authors_table(found.authors), places_table(found.places)]
    return f'<section id="tables"><h2>Arrangements, authors, places</h2>{"".join(parts)}</section>'


def _method(found: RoleModels, about: Mapping[str, str]) -> str:
    paragraphs = "".join(f"<p>{html.escape(text)}</p>" for text in method(found, about) if text)
    rows = "".join(
        f'<tr><td class="n">{number}</td><td>{html.escape(words)}</td></tr>' for number, words in left_out(found)
    )
    return (
        f'<section id="method"><h2>Method and limits</h2>{paragraphs}<p>{html.escape(LIMITS)}</p>'
        f'<div class="wide"><table><tbody>{rows}</tbody></table></div></section>'
    )


def _footer(found: RoleModels) -> str:
    shown = f"The {MOST_LEADERS} leading posts and {MOST_TREES} trees at most are shown"
    return (
        f"{shown}; every post, edge, arrangement, author and place stands in the tables role_models.csv, edges.csv, "
        "arrangements.csv, authors.csv and places.csv beside this page, the graph in graph.gexf and graph.graphml."
    )


def _key(*marks: tuple[str, str]) -> str:
    shown = "".join(f'<li><svg viewBox="0 0 22 14">{mark}</svg>{name}</li>' for mark, name in marks)
    return f'<ul class="key">{shown}</ul>'


def _rows(table: pd.DataFrame) -> Sequence[Any]:
    return list(table.itertuples(index=False))
