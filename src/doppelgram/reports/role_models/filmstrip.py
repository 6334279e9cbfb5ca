"""The filmstrip: a role model's followers along a time axis, some of them pictured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from doppelgram.numbers import count, date, span
from doppelgram.reports.role_models.axis import ticks
from doppelgram.reports.role_models.photographs import PhotographStore

WIDTH = 760
_SIDE, _GAP, _EDGE = 62, 9, 8
MOST_PICTURED, MOST_DOTS = 10, 600


@dataclass(frozen=True)
class Follower:
    """A later post in a filmstrip.

    Attributes:
        path: of the post.
        author: of the post.
        time: UTC seconds.
        direct: whether it repeats the role model itself, rather than one of its followers.
        about: what else to say of it, such as the probability of the match.
    """

    path: str
    author: str
    time: float
    direct: bool
    about: str = ""


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


def filmstrip(start: float, followers: Sequence[Follower], store: PhotographStore, *, author: str) -> Filmstrip:
    """Lay out the followers of one post.

    Args:
        start: time of the role model, UTC seconds.
        followers: in any order; the direct ones are pictured before others.
        store: for their pictures.
        author: of the role model.
    """
    followers = sorted(followers, key=lambda one: (one.time, one.path))
    last = max((one.time for one in followers), default=start)
    room = WIDTH - 2 * _EDGE - 12

    def across(time: float) -> float:
        return round(_EDGE + 6 + room * (time - start) / max(last - start, 1.0), 1)

    marks = []
    for at, name in ticks(start, last):
        x = across(at)
        marks.append((x, name, "start" if x < 30 else "end" if x > WIDTH - 30 else "middle"))
    pictured = _chosen(followers)
    centres = _spread([across(one.time) for one in pictured])
    return Filmstrip(
        across(start),
        marks,
        [
            Mark(
                across(one.time),
                one.direct,
                f"{_in_words(one)}, {span(one.time - start)} later",
                round(centre - _SIDE / 2, 1),
                store.number(one.path),
            )
            for one, centre in zip(pictured, centres, strict=True)
        ],
        [
            Mark(across(one.time), one.direct, _in_words(one))
            for one in sorted(_evenly(followers, MOST_DOTS), key=lambda one: one.direct)
        ],
        f"{count(len(followers), 'follower')} of the post by {author} along a time axis",
    )


def _in_words(one: Follower) -> str:
    return ", ".join(part for part in (one.author, date(one.time), one.about) if part)


def _chosen(followers: Sequence[Follower]) -> list[Follower]:
    """At most ``MOST_PICTURED`` in order of time: direct ones, and where there is room left some of the others."""
    direct = [one for one in followers if one.direct]
    later = [one for one in followers if not one.direct]
    chosen = _evenly(direct, MOST_PICTURED)
    chosen += _evenly(later, MOST_PICTURED - len(chosen))
    return sorted(chosen, key=lambda one: (one.time, one.path))


def _evenly(followers: Sequence[Follower], most: int) -> list[Follower]:
    """At most so many, from the first to the last as evenly as they come."""
    if len(followers) <= most:
        return list(followers)
    return [followers[k] for k in np.linspace(0, len(followers) - 1, most).round().astype(int)]


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
