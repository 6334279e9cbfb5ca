"""The influence tree: posts from left to right in time, each joined to the one that it most likely follows."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from doppelgram.reports.role_models.axis import date_text, ticks
from doppelgram.reports.role_models.pictures import Album

WIDTH = 980
# Above this many posts only those with most followers, and their ancestors, are drawn.
MOST_DRAWN = 120
# Up to this many rows every post is pictured; else only the posts with most followers.
_FEW_ROWS, _PICTURED = 16, 14
_TOP, _BOTTOM = 8, 34


@dataclass(frozen=True)
class Leaf:
    """A post in a tree.

    Attributes:
        path: of the post.
        author: of the post.
        time: UTC seconds.
        parent: position of the parent in the list of posts, -1 for none.
        about: what else to say of it.
    """

    path: str
    author: str
    time: float
    parent: int
    about: str = ""


def influence_tree(posts: Sequence[Leaf], root: int, album: Album, *, label: str) -> tuple[str, int]:
    """SVG of the tree below one post, and how many of its posts are drawn.

    Args:
        posts: all posts of the arrangement; parents are earlier than their children.
        root: position of the post whose tree is drawn.
        album: for pictures.
        label: of the whole drawing, for those who cannot see it.
    """
    children: dict[int, list[int]] = {}
    for k, post in enumerate(posts):
        if post.parent >= 0:
            children.setdefault(post.parent, []).append(k)
    for below in children.values():
        below.sort(key=lambda k: (posts[k].time, posts[k].path))
    order = _downwards(root, children)
    sizes = dict.fromkeys(order, 1)
    for k in reversed(order):
        if k != root:
            sizes[posts[k].parent] += sizes[k]
    drawn = set(_largest(order, sizes, posts, root))
    order = [k for k in order if k in drawn]
    kept = {k: [c for c in children.get(k, []) if c in drawn] for k in order}
    rows, count = _rows(order, kept, sizes)
    pitch = 44.0 if count <= _FEW_ROWS else max(12.0, min(24.0, 1100 / count))
    side = 36.0 if count <= _FEW_ROWS else 30.0
    by_size = sorted(order, key=lambda k: (-sizes[k], posts[k].time))
    height = _TOP + pitch * count + _BOTTOM
    start, end = posts[root].time, max(posts[k].time for k in order)
    room = WIDTH - 60

    def at(k: int) -> tuple[float, float]:
        x = 26 + room * (posts[k].time - start) / max(end - start, 1.0)
        return x, _TOP + pitch * (rows[k] + 0.5)

    pictured = _apart(by_size if count <= _FEW_ROWS else by_size[:_PICTURED], at, side)
    parts = []
    floor = _TOP + pitch * count + 4
    for when, name in ticks(start, end, most=9):
        x = 26 + room * (when - start) / max(end - start, 1.0)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{floor:.1f}"/>')
        parts.append(
            f'<text class="tick" x="{x:.1f}" y="{floor + 16:.1f}" text-anchor="middle">{html.escape(name)}</text>'
        )
    for k in order:
        for child in kept[k]:
            (x0, y0), (x1, y1) = at(k), at(child)
            bend = x0 + (x1 - x0) * 0.5
            curve = f"M{x0:.1f} {y0:.1f}C{bend:.1f} {y0:.1f} {bend:.1f} {y1:.1f} {x1:.1f} {y1:.1f}"
            parts.append(f'<path class="branch" d="{curve}"/>')
    for k in sorted(order, key=lambda k: (k not in pictured, sizes[k])):  # dots over pictures
        x, y = at(k)
        later = sizes[k] - 1
        words = ", ".join(part for part in (posts[k].author, date_text(posts[k].time), posts[k].about) if part)
        words += f"; {later} follow" if later else ""
        if k in pictured:
            parts.append(album.use(posts[k].path, x - side / 2, y - side / 2, side, title=words))
        else:
            parts.append(
                f'<circle class="node" cx="{x:.1f}" cy="{y:.1f}" r="3.6"><title>{html.escape(words)}</title></circle>'
            )
    svg = (
        f'<div class="tree"><svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{html.escape(label)}">'
        f"{''.join(parts)}</svg></div>"
    )
    return svg, len(order)


def _downwards(root: int, children: dict[int, list[int]]) -> list[int]:
    """The posts below ``root`` and itself, each after its parent."""
    order, waiting = [], [root]
    seen = {root}
    while waiting:
        k = waiting.pop()
        order.append(k)
        for child in children.get(k, []):
            if child not in seen:
                seen.add(child)
                waiting.append(child)
    return order


def _largest(order: list[int], sizes: dict[int, int], posts: Sequence[Leaf], root: int) -> list[int]:
    """At most ``MOST_DRAWN`` posts, those with most followers first; a post never without its ancestors.

    An ancestor's tree is larger than that of any post in it, so that the largest ones are joined to the root.
    """
    return sorted(order, key=lambda k: (-sizes[k], k != root, posts[k].time))[:MOST_DRAWN]


def _apart(wanted: list[int], at: Callable[[int], tuple[float, float]], side: float) -> set[int]:
    """Of the posts that should be pictured, those whose pictures do not cover an earlier one's."""
    placed: list[tuple[float, float]] = []
    found = set()
    for k in wanted:
        x, y = at(k)
        if all(abs(x - x0) >= side or abs(y - y0) >= side for x0, y0 in placed):
            placed.append((x, y))
            found.add(k)
    return found


def _rows(order: list[int], kept: dict[int, list[int]], sizes: dict[int, int]) -> tuple[dict[int, float], int]:
    """The row of each post: leaves one below another, a parent on the row of its largest child."""
    rows: dict[int, float] = {}
    leaf = 0
    stack = [(order[0], False)]
    while stack:
        k, done = stack.pop()
        if done:
            rows[k] = rows[max(kept[k], key=lambda child: sizes[child])]
        elif kept[k]:
            stack.append((k, True))
            stack += [(child, False) for child in reversed(kept[k])]
        else:
            rows[k] = float(leaf)
            leaf += 1
    return rows, leaf
