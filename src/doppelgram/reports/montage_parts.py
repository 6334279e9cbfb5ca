"""The parts of a montage: where they go and how each is drawn."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass

from PIL import Image, ImageDraw

from doppelgram.catalog.search import Match
from doppelgram.dataset.collection import JOIN
from doppelgram.reports.drawing import CARD, FAINT, INK, PAGE, Colour, badge, font, rounded, shorten, write

# Blue and vermilion of Okabe and Ito's palette, which the common forms of colour blindness tell apart.
SAME: Colour = (0, 114, 178)
DIFFERENT: Colour = (213, 94, 0)
UNKNOWN: Colour = (196, 200, 205)

VERDICTS: dict[str, tuple[Colour, str, str]] = {
    "same": (SAME, "tick", "same label as the query"),
    "different": (DIFFERENT, "cross", "another label"),
    "unknown": (UNKNOWN, "", "no label to compare"),
}


@dataclass(frozen=True)
class Layout:
    """Lengths in pixels, all from the side of a picture.

    Attributes:
        tile: the side of a picture.
        lines: lines that a label takes: 2 where labels are joined ones, of place and pose say, so that both show.
    """

    tile: int
    lines: int = 1

    def of(self, share: float) -> int:
        return max(1, round(self.tile * share))

    @property
    def text(self) -> int:
        return max(11, self.of(0.1))

    @property
    def margin(self) -> int:
        return self.of(0.27)

    @property
    def space(self) -> int:
        return self.of(0.18)

    @property
    def column(self) -> int:
        return self.tile + self.space

    @property
    def pad(self) -> int:
        return self.of(0.09)

    @property
    def caption(self) -> int:
        return self.baseline(self.lines) + round(0.5 * self.text)

    def baseline(self, line: int) -> int:
        """Distance from a picture's lower edge to the baseline of a line of its caption, counted from 0."""
        return round((1.55 + 1.35 * line) * self.text)

    @property
    def row(self) -> int:
        return self.tile + self.caption + 2 * self.pad + self.of(0.16)

    @property
    def first(self) -> int:
        """Left edge of the nearest neighbour's picture."""
        return self.margin + self.tile + 2 * self.pad + self.of(0.26)

    @property
    def header(self) -> int:
        return self.margin + round(6.9 * self.text)

    @property
    def footer(self) -> int:
        return self.margin + round(1.2 * self.text)


class Legend:
    """What the frames mean and how many there are of each, in one line."""

    def __init__(self, layout: Layout, counts: Counter[str]) -> None:
        self.layout = layout
        total = sum(counts.values())
        self.items = [
            (verdict, f"{text} ({counts[verdict]:,} of {total:,})")
            for verdict, (_, _, text) in VERDICTS.items()
            if counts[verdict]
        ]
        self.sign = round(1.4 * layout.text)
        self.gap = 2 * layout.text
        lengths = [self.sign + layout.text // 2 + font(layout.text).getlength(text) for _, text in self.items]
        self.width = round(sum(lengths)) + self.gap * max(0, len(lengths) - 1)

    def draw(self, page: Image.Image, left: float, middle: int) -> None:
        """Draw it from ``left`` on, centred on the height ``middle``."""
        draw = ImageDraw.Draw(page)
        for verdict, text in self.items:
            colour, symbol, _ = VERDICTS[verdict]
            top = middle - self.sign // 2
            if symbol:
                sign = badge(symbol, self.sign, colour, PAGE)
                page.paste(sign, (round(left), top), sign)
            else:
                box = (round(left), top, round(left) + self.sign, top + self.sign)
                rounded(page, box, self.sign // 4, colour)
                rounded(page, _inset(box, 2), max(1, self.sign // 4 - 1), PAGE)
            start = left + self.sign + self.layout.text // 2
            write(draw, (start, middle), text, self.layout.text, FAINT, "lm")
            left = start + font(self.layout.text).getlength(text) + self.gap


def draw_header(page: Image.Image, layout: Layout, subtitle: str, legend: Legend, columns: int) -> None:
    """Draw title, legend and column headings."""
    draw = ImageDraw.Draw(page)
    size = layout.text
    title, large = "Nearest neighbours", round(1.75 * size)
    base = layout.margin + round(1.3 * size)
    write(draw, (layout.margin, base), title, large, INK, "ls")
    after = layout.margin + font(large).getlength(title) + size
    if after + font(size).getlength(subtitle) <= page.width - layout.margin:
        write(draw, (after, base), subtitle, size, FAINT, "ls")
    legend.draw(page, layout.margin, base + round(1.9 * size))
    base = layout.header - round(0.75 * size)
    write(draw, (layout.margin + layout.pad, base), "Query", size, FAINT, "ls")
    for position in range(columns):
        write(draw, (layout.first + position * layout.column, base), str(position + 1), size, FAINT, "ls")


def draw_footer(page: Image.Image, layout: Layout, calibrated: bool, arranged: bool = False) -> None:
    """Draw the line that says what stands below the pictures."""
    text = "Below a picture: label, distance" + (", probability of showing the same" if calibrated else "")
    if arranged:
        text = "Below a picture: label, probability of the same place · of the same pose (?: nobody found), of both"
    text = shorten(text, layout.text, page.width - 2 * layout.margin)
    base = page.height - layout.margin + round(0.3 * layout.text)
    write(ImageDraw.Draw(page), (layout.margin, base), text, layout.text, FAINT, "ls")


def draw_query(page: Image.Image, layout: Layout, top: int, picture: Image.Image, label: str, query: str) -> None:
    """Draw the card of a query whose top edge is at ``top``."""
    left = layout.margin
    side = layout.tile + 2 * layout.pad
    rounded(page, (left, top, left + side, top + side + layout.caption), layout.of(0.1), CARD)
    left, top = left + layout.pad, top + layout.pad
    rounded(page, (left, top, left + layout.tile, top + layout.tile), layout.of(0.05), picture)
    base = _draw_label(page, layout, (left, top + layout.tile), label, "label not known")
    name = shorten(os.path.basename(query) or query, layout.text, layout.tile, middle=True)
    write(ImageDraw.Draw(page), (left, base), name, layout.text, FAINT, "ls")


def draw_match(
    page: Image.Image, layout: Layout, at: tuple[int, int], picture: Image.Image, match: Match, verdict: str
) -> None:
    """Draw a neighbour whose picture's left upper corner is ``at``; ``verdict`` is a key of ``VERDICTS``."""
    left, top = at
    colour, symbol, _ = VERDICTS[verdict]
    box = (left, top, left + layout.tile, top + layout.tile)
    gap, ring = layout.of(0.015), layout.of(0.028) if symbol else 1
    radius = layout.of(0.05)
    rounded(page, _inset(box, -gap - ring), radius + gap + ring, colour)
    rounded(page, _inset(box, -gap), radius + gap, PAGE)
    rounded(page, box, radius, picture)
    if symbol:
        side = layout.of(0.2)
        sign = badge(symbol, side, colour, PAGE)
        page.paste(sign, (box[2] - round(0.7 * side), top - round(0.3 * side)), sign)
    base = _draw_label(page, layout, (left, box[3]), match.label, "no label")
    draw = ImageDraw.Draw(page)
    write(draw, (left, base), _measured(match), layout.text, FAINT, "ls")
    if match.probability is not None:
        write(draw, (box[2], base), _percent(match.probability), layout.text, INK, "rs")


def _draw_label(page: Image.Image, layout: Layout, at: tuple[int, int], label: str, without: str) -> int:
    """Draw a label below a picture whose left lower corner is ``at``; returns the baseline of the line after it."""
    draw = ImageDraw.Draw(page)
    parts = label.split(JOIN)
    for line in range(layout.lines):
        last = line == layout.lines - 1
        part = shorten(" · ".join(parts[line:] if last else parts[line : line + 1]), layout.text, layout.tile)
        write(draw, (at[0], at[1] + layout.baseline(line)), part, layout.text, INK, "ls")
    if not label:
        write(draw, (at[0], at[1] + layout.baseline(0)), without, layout.text, FAINT, "ls")
    return at[1] + layout.baseline(layout.lines)


def _inset(box: tuple[int, int, int, int], by: int) -> tuple[int, int, int, int]:
    return box[0] + by, box[1] + by, box[2] - by, box[3] - by


def _measured(match: Match) -> str:
    """The distance, or by a model of places and poses how likely each of the two is the same."""
    if not match.parts:
        return _number(match.distance)
    return " · ".join("?" if name in match.unknown else _percent(value) for name, value in match.parts.items())


def _number(distance: float) -> str:
    return f"{distance:.3f}" if distance < 100 else f"{distance:.4g}"


def _percent(probability: float) -> str:
    if 0 < probability < 0.01:
        return "< 1 %"
    if 0.99 < probability < 1:
        return "> 99 %"
    return f"{100 * probability:.0f} %"
