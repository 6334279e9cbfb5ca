"""The influence tree: posts from left to right in time, each joined to the one that it most likely follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from doppelgram.reports.role_models.axis import ticks
from doppelgram.reports.role_models.history import History
from doppelgram.reports.role_models.photographs import PhotographStore

WIDTH = 980
# Above this many posts only those with most followers, and their ancestors, are drawn.
MOST_DRAWN = 120
# Up to this many rows every post is pictured; else only the posts with most followers.
_FEW_ROWS, _PICTURED = 16, 14
_TOP, _BOTTOM = 8, 34


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


def influence_tree(history: History, root: int, store: PhotographStore) -> Tree:
    """Lay out the tree below the post at position ``root``; ``store`` is for pictures."""
    posts = history.posts
    order = [root, *history.below(root)]
    sizes = dict.fromkeys(order, 1)
    for k in reversed(order):
        if k != root:
            sizes[posts[k].parent] += sizes[k]
    # Those with most followers. A post's tree is larger than any in it, so that they are all joined to the root.
    drawn = set(sorted(order, key=lambda k: (-sizes[k], k != root, posts[k].time))[:MOST_DRAWN])
    order = [k for k in order if k in drawn]
    kept = {k: [c for c in history.children.get(k, []) if c in drawn] for k in order}
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
        words = posts[k].words + (f"; {sizes[k] - 1:,} of those below follow it" if sizes[k] > 1 else "")
        nodes.append(Node(*at(k), words, k in pictured, store.number(posts[k].path) if k in pictured else None))
    return Tree(
        height=_TOP + pitch * count + _BOTTOM,
        floor=round(_TOP + pitch * count + 4, 1),
        ticks=[(across(when), name) for when, name in ticks(start, end, most=9)],
        branches=[(*at(k), *at(child)) for k in order for child in kept[k]],
        nodes=nodes,
        side=side,
    )


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
