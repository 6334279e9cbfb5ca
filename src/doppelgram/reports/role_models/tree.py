"""The influence tree: posts from left to right in time, each joined to the one that it most likely follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from doppelgram.numbers import date
from doppelgram.reports.role_models.axis import ticks
from doppelgram.reports.role_models.photographs import PhotographStore

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


@dataclass(frozen=True)
class Node:
    """A post as it is drawn: where, the words that appear when it is pointed at, and its picture.

    Attributes:
        x: of its middle.
        y: of its middle.
        words: author, date and more.
        pictured: whether a picture is drawn in place of a dot.
        number: of the picture in the page; None where there is none.
    """

    x: float
    y: float
    words: str
    pictured: bool
    number: int | None


@dataclass(frozen=True)
class Tree:
    """Everything that the drawing needs, in pixels.

    Attributes:
        height: of the drawing.
        floor: where the time axis lies.
        ticks: place and name of each mark of the axis.
        branches: the ends of each, x0, y0, x1, y1.
        nodes: pictures first, so that dots lie over them.
        side: of a picture.
    """

    height: float
    floor: float
    ticks: Sequence[tuple[float, str]]
    branches: Sequence[tuple[float, float, float, float]]
    nodes: Sequence[Node]
    side: float
    width: int = WIDTH


def influence_tree(posts: Sequence[Leaf], root: int, store: PhotographStore) -> Tree:
    """Lay out the tree below one post.

    Args:
        posts: all posts of the arrangement; parents are earlier than their children.
        root: position of the post whose tree is drawn.
        store: for pictures.
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
    few = count <= _FEW_ROWS
    pitch, side = (44.0, 36.0) if few else (max(12.0, min(24.0, 1100 / count)), 30.0)
    start, end = posts[root].time, max(posts[k].time for k in order)

    def across(time: float) -> float:
        return round(26 + (WIDTH - 60) * (time - start) / max(end - start, 1.0), 1)

    def at(k: int) -> tuple[float, float]:
        return across(posts[k].time), round(_TOP + pitch * (rows[k] + 0.5), 1)

    by_size = sorted(order, key=lambda k: (-sizes[k], posts[k].time))
    pictured = _apart(by_size if few else by_size[:_PICTURED], at, side)
    nodes = []
    for k in sorted(order, key=lambda k: (k not in pictured, sizes[k])):
        words = ", ".join(part for part in (posts[k].author, date(posts[k].time), posts[k].about) if part)
        words += f"; {sizes[k] - 1:,} of those below follow it" if sizes[k] > 1 else ""
        nodes.append(Node(*at(k), words, k in pictured, store.number(posts[k].path) if k in pictured else None))
    return Tree(
        height=_TOP + pitch * count + _BOTTOM,
        floor=round(_TOP + pitch * count + 4, 1),
        ticks=[(across(when), name) for when, name in ticks(start, end, most=9)],
        branches=[(*at(k), *at(child)) for k in order for child in kept[k]],
        nodes=nodes,
        side=side,
    )


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
