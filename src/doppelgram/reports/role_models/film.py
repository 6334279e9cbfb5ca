"""The filmstrip: a role model's followers along a time axis, some of them pictured."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from doppelgram.reports.role_models.axis import date_text, length_text, ticks
from doppelgram.reports.role_models.pictures import Album

WIDTH = 760
_SIDE, _GAP, _AXIS, _HEIGHT = 62, 9, 90, 118
_LEFT, _RIGHT = 8, 8
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


def filmstrip(start: float, followers: Sequence[Follower], album: Album, *, label: str) -> str:
    """SVG of the followers of one post.

    Args:
        start: time of the role model, UTC seconds.
        followers: in any order; the direct ones are pictured before others.
        album: for their pictures.
        label: of the whole drawing, for those who cannot see it.
    """
    followers = sorted(followers, key=lambda one: (one.time, one.path))
    last = max((one.time for one in followers), default=start)
    span = max(last - start, 1.0)
    room = WIDTH - _LEFT - _RIGHT - 12

    def across(time: float) -> float:
        return _LEFT + 6 + room * (time - start) / span

    parts = [_axis(start, last, across)]
    pictured = _chosen(followers)
    centres = _spread([across(one.time) for one in pictured])
    for one, centre in zip(pictured, centres, strict=True):
        kind = "leader" if one.direct else "leader faint"
        parts.append(
            f'<path class="{kind}" d="M{centre:.1f} {_SIDE + 2}L{centre:.1f} {_SIDE + 7}L{across(one.time):.1f} '
            f'{_AXIS - 7}V{_AXIS}"/>'
        )
    parts.append(_dots(followers, across))
    parts.append(
        f'<circle class="root" cx="{across(start):.1f}" cy="{_AXIS}" r="6"><title>the role model</title></circle>'
    )
    for one, centre in zip(pictured, centres, strict=True):
        words = f"{_told(one)}, {length_text(one.time - start)} later"
        parts.append(album.use(one.path, centre - _SIDE / 2, 2, _SIDE, title=words))
        if one.direct:
            parts.append(
                f'<rect class="mark" x="{centre - _SIDE / 2:.1f}" y="{_SIDE - 1}" width="{_SIDE}" height="3"/>'
            )
    return (
        f'<div class="film"><svg viewBox="0 0 {WIDTH} {_HEIGHT}" role="img" aria-label="{html.escape(label)}">'
        f"{''.join(parts)}</svg></div>"
    )


def _told(one: Follower) -> str:
    return ", ".join(part for part in (one.author, date_text(one.time), one.about) if part)


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
    low, high, step = _LEFT + _SIDE / 2, WIDTH - _RIGHT - _SIDE / 2, _SIDE + _GAP
    placed: list[float] = []
    for centre in wanted:
        placed.append(max(centre, placed[-1] + step) if placed else max(centre, low))
    limit = high
    for k in range(len(placed) - 1, -1, -1):
        placed[k] = min(placed[k], limit)
        limit = placed[k] - step
    return placed


def _axis(start: float, last: float, across: Callable[[float], float]) -> str:
    marks = [f'<line class="axis" x1="{_LEFT}" y1="{_AXIS}" x2="{WIDTH - _RIGHT}" y2="{_AXIS}"/>']
    for at, name in ticks(start, last):
        x = across(at)
        anchor = "start" if x < 30 else "end" if x > WIDTH - 30 else "middle"
        marks.append(f'<line class="tick" x1="{x:.1f}" y1="{_AXIS}" x2="{x:.1f}" y2="{_AXIS + 6}"/>')
        marks.append(
            f'<text class="tick" x="{x:.1f}" y="{_AXIS + 21}" text-anchor="{anchor}">{html.escape(name)}</text>'
        )
    return "".join(marks)


def _dots(followers: Sequence[Follower], across: Callable[[float], float]) -> str:
    dots = []
    for one in sorted(_evenly(followers, MOST_DOTS), key=lambda one: one.direct):  # direct ones on top
        kind = "direct" if one.direct else "later"
        dots.append(
            f'<circle class="{kind}" cx="{across(one.time):.1f}" cy="{_AXIS}" r="{4 if one.direct else 3.4}">'
            f"<title>{html.escape(_told(one))}</title></circle>"
        )
    return "".join(dots)
