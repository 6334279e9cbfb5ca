"""The filmstrip: a role model's followers along a time axis, some of them pictured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from doppelgram.numbers import count, span
from doppelgram.reports.role_models.axis import ticks
from doppelgram.reports.role_models.history import UNKNOWN_AUTHOR, History, Post
from doppelgram.reports.role_models.photographs import PhotographStore

WIDTH = 760
_SIDE, _GAP, _EDGE = 62, 9, 8
MOST_PICTURED, MOST_DOTS = 10, 600


@dataclass(frozen=True)
class Mark:
    """A follower as it is drawn: where on the axis, and the words that appear when it is pointed at.

    Attributes:
        x: of its dot on the axis.
        direct: whether it is a direct follower.
        words: author, date and more.
        left: left edge of its picture; 0 for a dot.
        number: of its picture in the page; None for a dot, or where there is no picture.
    """

    x: float
    direct: bool
    words: str
    left: float = 0.0
    number: int | None = None


@dataclass(frozen=True)
class Filmstrip:
    """Everything that the drawing needs, in pixels.

    Attributes:
        start: where on the axis the role model stands.
        ticks: place, name and text anchor of each mark of the axis.
        pictured: followers with a picture, in order of time.
        dots: all followers, or so many of them as can be told apart; direct ones last, so that they lie on top.
        label: of the whole drawing, for those who cannot see it.
        side: of a picture.
    """

    start: float
    ticks: Sequence[tuple[float, str, str]]
    pictured: Sequence[Mark]
    dots: Sequence[Mark]
    label: str
    width: int = WIDTH
    side: int = _SIDE


def filmstrip(history: History, root: int, store: PhotographStore) -> Filmstrip:
    """Lay out the followers of the post at position ``root``, whose direct ones are pictured before others.

    Args:
        history: who follows whom.
        root: position of the role model.
        store: for the followers' pictures.
    """
    model = history.posts[root]
    followers = sorted((history.posts[k] for k in history.below(root)), key=lambda post: (post.time, post.path))
    start = model.time
    last = max((post.time for post in followers), default=start)
    room = WIDTH - 2 * _EDGE - 12

    def across(time: float) -> float:
        return round(_EDGE + 6 + room * (time - start) / max(last - start, 1.0), 1)

    marks = []
    for at, name in ticks(start, last):
        x = across(at)
        marks.append((x, name, "start" if x < 30 else "end" if x > WIDTH - 30 else "middle"))
    direct = [post for post in followers if post.parent == root]
    later = [post for post in followers if post.parent != root]
    chosen = _evenly(direct, MOST_PICTURED)
    chosen += _evenly(later, MOST_PICTURED - len(chosen))
    chosen.sort(key=lambda post: (post.time, post.path))
    pictured = [
        Mark(
            across(post.time),
            post.parent == root,
            f"{post.words}, {span(post.time - start)} later",
            round(centre - _SIDE / 2, 1),
            store.number(post.path),
        )
        for post, centre in zip(chosen, _spread([across(post.time) for post in chosen]), strict=True)
    ]
    dots = [Mark(across(post.time), post.parent == root, post.words) for post in _evenly(followers, MOST_DOTS)]
    label = f"{count(len(followers), 'follower')} of the post by {model.author or UNKNOWN_AUTHOR} along a time axis"
    return Filmstrip(across(start), marks, pictured, sorted(dots, key=lambda dot: dot.direct), label)


def _evenly(posts: Sequence[Post], most: int) -> list[Post]:
    """At most so many, from the first to the last as evenly as they come."""
    if len(posts) <= most:
        return list(posts)
    return [posts[k] for k in np.linspace(0, len(posts) - 1, most).round().astype(int)]


def _spread(wanted: list[float]) -> list[float]:
    """Centres of pictures, in order, as near to the wanted ones as is possible side by side."""
    low, high, step = _EDGE + _SIDE / 2, WIDTH - _EDGE - _SIDE / 2, _SIDE + _GAP
    placed: list[float] = []
    for centre in wanted:
        placed.append(max(centre, placed[-1] + step) if placed else max(centre, low))
    limit = high
    for k in range(len(placed) - 1, -1, -1):
        placed[k] = min(placed[k], limit)
        limit = placed[k] - step
    return placed
