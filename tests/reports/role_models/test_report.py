from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.numbers import DAY
from doppelgram.reports.role_models.axis import ticks
from doppelgram.reports.role_models.filmstrip import MOST_DOTS, MOST_PICTURED, filmstrip
from doppelgram.reports.role_models.history import History, Post
from doppelgram.reports.role_models.photographs import PhotographStore, Picture, skeleton
from doppelgram.reports.role_models.report import MOST_LEADERS, report_html, write_report
from doppelgram.reports.role_models.tree import MOST_DRAWN, influence_tree
from doppelgram.rolemodels.findings import headline
from doppelgram.rolemodels.posts import PostTable
from doppelgram.rolemodels.result import WORDING, RoleModels
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.trace import trace_posts
from doppelgram.rolemodels.validation.simulate import WorldSettings, simulate

QUICK = TraceSettings(draws=19, bootstraps=20)
EVIL = "<script>alert(1)</script>\"&'{{ title }} {% raw %}"
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """Elements, balanced or not, and every address in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.classes: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), name
            if name in ("href", "src"):
                self.addresses.append(value or "")
            if name == "class":
                self.classes.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def somebody(path: str, side: int) -> Picture:
    keypoints = np.column_stack([np.linspace(5, side - 5, 18), np.linspace(9, side - 9, 18), np.ones(18)])
    keypoints[3] = [np.nan, np.nan, 0]
    return Picture(b"jpeg", side, side, [keypoints.astype(np.float32)])


def nobody(path: str, side: int) -> None:
    return None


@pytest.fixture(scope="module")
def found() -> RoleModels:
    world = simulate(WorldSettings(posts=200, places=3, poses=3, bare=0.05, undated=0.05), seed=2)
    return trace_posts(world.posts, world.vectors, world.space, QUICK)


def test_the_page_needs_nothing_but_itself(found: RoleModels) -> None:
    text = report_html(found, somebody, title="Role models", about={"Doppelgram": "9.9.9"})
    page = Page(text)
    assert all(address.startswith(("data:image/jpeg;base64,", "#")) for address in page.addresses)
    assert "script" not in page.tags
    assert "default-src 'none'" in text
    assert "http" not in text.replace('http-equiv="Content-Security-Policy"', "")
    assert page.tags.count("li") >= MOST_LEADERS
    for part in ("leaders", "evidence", "trees", "robustness", "tables", "method"):
        assert f'<section id="{part}">' in text
    assert "9.9.9" in text
    assert not re.search("{[{%#]", text)
    # Every picture that is drawn is in the page, and in it once.
    symbols = re.findall(r'<symbol id="(p\d+)"', text)
    assert len(symbols) == len(set(symbols))
    assert {address[1:] for address in page.addresses if re.match(r"#p\d", address)} == set(symbols)


def test_every_parameter_and_count_is_in_the_page(found: RoleModels) -> None:
    settings = replace(found.settings, gamma=0.321, innovation=0.123, damping=0.456, seed=77)
    text = report_html(replace(found, settings=settings), nobody, title="x")
    for words in ("0.321", "0.123", "0.456", "Seed 77", "19 shuffles", "20 bootstrap", f"{found.decay_days:.3g} days"):
        assert words in text, words
    assert f'<td class="n">{found.counts["undated"]}</td>' in text
    assert f'<td class="n">{found.counts["nobody"]}</td>' in text
    assert all(note.split(";")[0] in text for note in found.notes)


def test_the_wording_follows_the_evidence(found: RoleModels) -> None:
    table = found.role_models.copy()
    claimed = f"{WORDING[0].upper()}{WORDING[1:]} (p"
    table["spread_p"], table["spread_q"], table["origin"] = 0.5, 0.9, 0.97
    text = report_html(replace(found, role_models=table), nobody, title="x")
    assert claimed not in text
    assert "probability of 97" not in text  # who set it is said only of what spreads
    table["spread_p"] = 0.01
    text = report_html(replace(found, role_models=table), nobody, title="x")
    assert text.count("if it were the only one") == MOST_LEADERS
    table["spread_q"] = 0.02
    text = report_html(replace(found, role_models=table), nobody, title="x")
    assert text.count(claimed) == MOST_LEADERS
    assert text.count("go back to it with a probability of 97") == MOST_LEADERS
    table["spread_q"] = table["spread_p"] = np.nan
    text = report_html(replace(found, role_models=table), nobody, title="x")
    assert text.count("too few for a test") == MOST_LEADERS
    assert "copied" not in text


@pytest.mark.parametrize(
    ("tested", "spread", "origin", "said"),
    [
        (23, 19, 14, "19 of 23 arrangements (with posts by 5 authors or more) spread faster, "),
        (23, 19, 14, "in 14 of them one post is the likely origin (90 % or more)."),
        (23, 1, 1, "1 of 23 arrangements (with posts by 5 authors or more) spreads faster, "),
        (23, 1, 1, "; in it one post is the likely origin"),
        (23, 2, 0, "; in none of them one post is the likely origin"),
        (23, 0, 0, "None of 23 arrangements (with posts by 5 authors or more) spreads faster, "),
        (1, 0, 0, "The one arrangement (with posts by 5 authors or more) does not spread faster, "),
        (0, 0, 0, "No arrangement has dated posts by 5 authors or more"),
    ],
)
def test_headline(found: RoleModels, tested: int, spread: int, origin: int, said: str) -> None:
    counts = found.counts | {"tested": tested, "spread": spread, "origin": origin}
    assert said in headline(replace(found, counts=counts))


def test_what_posts_say_of_themselves_is_only_text() -> None:
    world = simulate(WorldSettings(posts=60, places=2, poses=2, missing=0.0), seed=1)
    posts = PostTable(
        np.array([f"{EVIL}{k}.jpg" for k in range(len(world.posts))], dtype=object),
        np.array([f"{EVIL}{author}" for author in world.posts.author], dtype=object),
        world.posts.timestamp,
        np.full(len(world.posts), EVIL, dtype=object),
    )
    found = trace_posts(posts, world.vectors, world.space, QUICK)
    text = report_html(found, somebody, title=EVIL, about={"model": EVIL})
    assert "script" not in Page(text).tags
    assert text.count("&lt;script&gt;alert(1)") > 20


@pytest.mark.parametrize("n", [0, 1, 2])
def test_hardly_any_posts(n: int) -> None:
    world = simulate(WorldSettings(posts=40, places=2, poses=2), seed=0)
    some = slice(0, n)
    posts = PostTable(world.posts.path[some], world.posts.author[some], world.posts.timestamp[some])
    found = trace_posts(posts, world.vectors[some], world.space, QUICK)
    text = report_html(found, nobody, title="few")
    Page(text)
    assert 'id="method"' in text


def test_many_posts_keep_the_page_small() -> None:
    world = simulate(WorldSettings(posts=1200, places=2, poses=2, missing=0.0), seed=0)
    found = trace_posts(world.posts, world.vectors, world.space, replace(QUICK, bootstraps=0, neighbours=64))
    text = report_html(found, somebody, title="many")
    Page(text)
    assert len(text) < 3_000_000


def test_the_report_is_written_whole_or_not_at_all(found: RoleModels, tmp_path: Path) -> None:
    file = write_report(found, tmp_path / "new" / "report.html", nobody, title="x")
    before = file.read_bytes()

    def broken(path: str, side: int) -> Picture:
        raise DoppelgramError("gone")

    with pytest.raises(DoppelgramError, match="gone"):
        write_report(found, file, broken, title="y")
    assert file.read_bytes() == before
    assert [entry.name for entry in file.parent.iterdir()] == ["report.html"]


def followed(count: int, direct: Callable[[int], bool] = lambda k: True) -> History:
    """A post and ``count`` followers, a day apart; who is no direct one follows the last direct one."""
    last = max(k for k in range(1, count + 1) if direct(k))
    return History(
        [Post("0.jpg", "x", 0.0)]
        + [Post(f"{k}.jpg", f"user{k}", k * DAY, 0 if direct(k) else last) for k in range(1, count + 1)]
    )


def test_a_filmstrip_pictures_direct_followers_first() -> None:
    store = PhotographStore(somebody)
    strip = filmstrip(followed(30, lambda k: k % 2 == 0), 0, store)
    assert len(strip.pictured) == MOST_PICTURED == len(store.jpegs)
    assert all(one.direct for one in strip.pictured)  # 15 direct ones, so that no other has room
    assert sorted(dot.direct for dot in strip.dots) == [False] * 15 + [True] * 15
    lefts = [one.left for one in strip.pictured]
    assert lefts == sorted(lefts)
    assert all(b - a >= 62 for a, b in pairwise(lefts))
    assert lefts[0] >= 0
    assert lefts[-1] + 62 <= 760
    few = filmstrip(followed(5, lambda k: k == 3), 0, store)
    assert [one.direct for one in few.pictured] == [False, False, True, False, False]
    assert len(filmstrip(followed(2000), 0, store).dots) == MOST_DOTS


def test_a_tree_draws_every_post_until_there_are_too_many() -> None:
    posts = [Post("0", "a", 0.0, -1)] + [Post(str(k), "b", float(k), (k - 1) // 2) for k in range(1, 41)]
    tree = influence_tree(History(posts), 0, PhotographStore(somebody))
    assert (len(tree.nodes), len(tree.branches)) == (41, 40)
    posts += [Post(str(k), "b", float(k), k - 1) for k in range(41, 400)]
    tree = influence_tree(History(posts), 0, PhotographStore(somebody))
    assert (len(tree.nodes), len(tree.branches)) == (MOST_DRAWN, MOST_DRAWN - 1)


def test_a_skeleton_leaves_missing_keypoints_out() -> None:
    whole = np.column_stack([np.arange(18.0), np.arange(18.0), np.ones(18)]).astype(np.float32)
    blind = whole.copy()
    blind[3:8] = [np.nan, np.nan, 0]
    assert len(skeleton(whole)) > len(skeleton(blind)) > 0
    assert np.isfinite([[bone.x1, bone.y1, bone.x2, bone.y2] for bone in skeleton(blind)]).all()


@pytest.mark.parametrize("days", [0.0, 0.001, 0.2, 3, 40, 400, 4000, 60_000])
def test_an_axis_has_a_few_round_marks(days: float) -> None:
    marks = ticks(1_000_000_123.0, 1_000_000_123.0 + days * DAY)
    assert len(marks) <= 8
    assert days < 0.01 or len(marks) >= 2
    assert [at for at, _ in marks] == sorted(at for at, _ in marks)
    assert len({name for _, name in marks}) >= len(marks) - 2


def test_a_page_is_the_same_again(found: RoleModels) -> None:
    def text() -> Any:
        return report_html(found, somebody, title="x")

    assert text() == text()
