"""Photographs in the report: each once in the page, drawn as often as it is wanted, with its skeletons over it."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from doppelgram.pose.skeleton import LIMBS, Keypoints

# Right limbs warm, left ones cool, the trunk's and head's neutral: for every kind of colour vision apart, and on grey
# paper the white edge under them still shows them.
_RIGHT, _LEFT, _MIDDLE = "#f08c1d", "#2f8fe0", "#ffffff"
_RIGHT_JOINTS, _LEFT_JOINTS = frozenset((2, 3, 4, 8, 9, 10, 14, 16)), frozenset((5, 6, 7, 11, 12, 13, 15, 17))
_HEAD = frozenset((0, 14, 15, 16, 17))


@dataclass(frozen=True)
class Picture:
    """A photograph made small.

    Attributes:
        jpeg: its bytes.
        width: in pixels.
        height: in pixels.
        people: keypoints (18, 3) of each person in pixels of this small picture; empty where nobody was found.
    """

    jpeg: bytes
    width: int
    height: int
    people: Sequence[Keypoints] = ()


Pictures = Callable[[str, int], Picture | None]
"""Looks up the picture of a post by its path, at about the given long side in pixels; None where there is none."""


@dataclass
class Album:
    """The small pictures of a page: looked up and written out once, however often they are drawn."""

    pictures: Pictures
    side: int = 104
    _numbers: dict[str, int | None] = field(default_factory=dict)
    _symbols: list[str] = field(default_factory=list)

    def use(self, path: str, x: float, y: float, side: float, *, title: str = "", radius: float = 3) -> str:
        """SVG that draws the post's picture, cut to a square, with an empty frame where there is no picture."""
        number = self._number(path)
        frame = f'x="{x:.1f}" y="{y:.1f}" width="{side:g}" height="{side:g}"'
        shown = f'<rect class="blank" {frame} rx="{radius:g}"/>'
        if number is not None:
            shown = f'<use href="#p{number}" {frame}/>'
        return f'<g class="thumb"><title>{html.escape(title or path)}</title>{shown}<rect class="edge" {frame}/></g>'

    def definitions(self) -> str:
        """The pictures that `use` draws; belongs into the page once, before or after them."""
        return f'<svg class="album" width="0" height="0" aria-hidden="true">{"".join(self._symbols)}</svg>'

    def _number(self, path: str) -> int | None:
        if path not in self._numbers:
            picture = self.pictures(path, self.side)
            self._numbers[path] = None if picture is None else len(self._symbols)
            if picture is not None:
                self._symbols.append(
                    f'<symbol id="p{len(self._symbols)}" viewBox="0 0 1 1"><image width="1" height="1" '
                    f'preserveAspectRatio="xMidYMid slice" href="{data_uri(picture.jpeg)}"/></symbol>'
                )
        return self._numbers[path]


def data_uri(jpeg: bytes) -> str:
    """The bytes of a JPEG as an address that holds them."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"


def portrait(picture: Picture, description: str) -> str:
    """SVG of a whole photograph with the skeletons of its people over it."""
    w, h = picture.width, picture.height
    skeletons = "".join(skeleton(person, max(w, h) / 110) for person in picture.people)
    return (
        f'<svg class="portrait" viewBox="0 0 {w} {h}" role="img" aria-label="{html.escape(description)}">'
        f'<image width="{w}" height="{h}" href="{data_uri(picture.jpeg)}"/><g class="skeleton">{skeletons}</g></svg>'
    )


def skeleton(person: Keypoints, width: float) -> str:
    """SVG of one person's bones (18, 3), ``width`` pixels thick, each over a dark edge."""
    known = np.isfinite(person[:, :2]).all(1) & (person[:, 2] > 0)
    bones = [(a, b) for a, b in LIMBS if known[a] and known[b]]
    # Eyes and ears make a tangle on a small face; the line from neck to nose says where the head turns.
    bones = [(a, b) for a, b in bones if not (a in _HEAD and b in _HEAD)]
    lines = {
        (a, b): f'x1="{person[a, 0]:.1f}" y1="{person[a, 1]:.1f}" x2="{person[b, 0]:.1f}" y2="{person[b, 1]:.1f}"'
        for a, b in bones
    }
    under = "".join(f'<line {line} stroke="#14181d" stroke-width="{width * 1.9:.2f}"/>' for line in lines.values())
    over = "".join(
        f'<line {line} stroke="{_colour(a, b)}" stroke-width="{width:.2f}"/>' for (a, b), line in lines.items()
    )
    return f'<g stroke-linecap="round"><g opacity=".55">{under}</g>{over}</g>'


def _colour(a: int, b: int) -> str:
    if b in _RIGHT_JOINTS:
        return _RIGHT
    return _LEFT if b in _LEFT_JOINTS else _MIDDLE
