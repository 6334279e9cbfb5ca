"""The parts of a montage: where they go and how each is drawn."""

from __future__ import annotations

import os
from collections import Counter

from PIL import Image

from doppelgram.catalog.search.searcher import Match
from doppelgram.dataset.collection import JOIN
from doppelgram.numbers import probability
from doppelgram.reports.drawing import BLUE, CARD, FAINT, PAGE, VERMILION, Box, Colour, Sheet, badge, length, shorten

SAME, DIFFERENT = BLUE, VERMILION
UNKNOWN: Colour = (196, 200, 205)

VERDICTS: dict[str, tuple[Colour, str, str]] = {
    "same": (SAME, "tick", "same label as the query"),
    "different": (DIFFERENT, "cross", "another label"),
    "unknown": (UNKNOWN, "", "no label to compare"),
}


class Layout:
    """Lengths in pixels, all from the side of a picture.

    Attributes:
        tile: the side of a picture.
        lines: lines that a label takes: 2 where labels are joined ones, of place and pose say, so that both show.
        text: size of the letters.
        margin: around everything.
        space: between neighbours; with a picture it makes a ``column``.
        pad: around a query's picture in its card.
        caption: height of what stands below a picture.
        row: height of a query and its neighbours.
        first: left edge of the nearest neighbour's picture.
        header: height above the first row.
        footer: height below the last row.
    """

    def __init__(self, tile: int, lines: int = 1) -> None:
        self.tile, self.lines = tile, lines
        self.text = max(11, self.of(0.1))
        self.margin, self.space, self.pad = self.of(0.27), self.of(0.18), self.of(0.09)
        self.column = tile + self.space
        self.caption = self.baseline(lines) + round(0.5 * self.text)
        self.row = tile + self.caption + 2 * self.pad + self.of(0.16)
        self.first = self.margin + tile + 2 * self.pad + self.of(0.26)
        self.header = self.margin + round(6.9 * self.text)
        self.footer = self.margin + round(1.2 * self.text)

    def of(self, share: float) -> int:
        """A share of a picture's side, a pixel at least."""
        return max(1, round(self.tile * share))

    def baseline(self, line: int) -> int:
        """Distance from a picture's lower edge to the baseline of a line of its caption, counted from 0."""
        return round((1.55 + 1.35 * line) * self.text)


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
        lengths = [self.sign + layout.text // 2 + length(text, layout.text) for _, text in self.items]
        self.width = round(sum(lengths)) + self.gap * max(0, len(lengths) - 1)

    def draw(self, sheet: Sheet, left: float, middle: int) -> None:
        """Draw it from ``left`` on, centred on the height ``middle``."""
        for verdict, text in self.items:
            colour, symbol, _ = VERDICTS[verdict]
            at = round(left), middle - self.sign // 2
            if symbol:
                sheet.stamp(badge(symbol, self.sign, colour, PAGE), at)
            else:
                sheet.square(at, self.sign, self.sign // 4, colour)
                sheet.square((at[0] + 2, at[1] + 2), self.sign - 4, max(1, self.sign // 4 - 1), PAGE)
            start = left + self.sign + self.layout.text // 2
            sheet.write((start, middle), text, self.layout.text, FAINT, "lm")
            left = start + length(text, self.layout.text) + self.gap


def draw_header(sheet: Sheet, layout: Layout, subtitle: str, legend: Legend, columns: int) -> None:
    """Draw title, legend and column headings."""
    size = layout.text
    title, large = "Nearest neighbours", round(1.75 * size)
    base = layout.margin + round(1.3 * size)
    sheet.write((layout.margin, base), title, large)
    after = layout.margin + length(title, large) + size
    if after + length(subtitle, size) <= sheet.width - layout.margin:
        sheet.write((after, base), subtitle, size, FAINT)
    legend.draw(sheet, layout.margin, base + round(1.9 * size))
    base = layout.header - round(0.75 * size)
    sheet.write((layout.margin + layout.pad, base), "Query", size, FAINT)
    for position in range(columns):
        sheet.write((layout.first + position * layout.column, base), str(position + 1), size, FAINT)


def draw_footer(sheet: Sheet, layout: Layout, calibrated: bool, arranged: bool = False) -> None:
    """Draw the line that says what stands below the pictures."""
    text = "Below a picture: label, distance" + (", probability of being right" if calibrated else "")
    if arranged:
        text = "Below a picture: label, probability of the same place · of the same pose (?: nobody found), of both"
    base = sheet.height - layout.margin + round(0.3 * layout.text)
    sheet.write((layout.margin, base), text, layout.text, FAINT, room=sheet.width - 2 * layout.margin)


def draw_query(sheet: Sheet, layout: Layout, top: int, picture: Image.Image, label: str, query: str) -> None:
    """Draw the card of a query whose top edge is at ``top``."""
    left = layout.margin
    side = layout.tile + 2 * layout.pad
    sheet.box((left, top, left + side, top + side + layout.caption), layout.of(0.1), CARD)
    left, top = left + layout.pad, top + layout.pad
    sheet.square((left, top), layout.tile, layout.of(0.05), picture)
    base = _draw_label(sheet, layout, (left, top + layout.tile), label, "label not known")
    name = shorten(os.path.basename(query) or query, layout.text, layout.tile, middle=True)
    sheet.write((left, base), name, layout.text, FAINT)


def draw_match(
    sheet: Sheet, layout: Layout, at: tuple[int, int], picture: Image.Image, match: Match, verdict: str
) -> None:
    """Draw a neighbour whose picture's left upper corner is ``at``; ``verdict`` is a key of ``VERDICTS``."""
    left, top = at
    colour, symbol, _ = VERDICTS[verdict]
    box = (left, top, left + layout.tile, top + layout.tile)
    gap, ring = layout.of(0.015), layout.of(0.028) if symbol else 1
    radius = layout.of(0.05)
    sheet.box(_grown(box, gap + ring), radius + gap + ring, colour)
    sheet.box(_grown(box, gap), radius + gap, PAGE)
    sheet.box(box, radius, picture)
    if symbol:
        side = layout.of(0.2)
        sheet.stamp(badge(symbol, side, colour, PAGE), (box[2] - round(0.7 * side), top - round(0.3 * side)))
    base = _draw_label(sheet, layout, (left, box[3]), match.label, "no label")
    sheet.write((left, base), _measured(match), layout.text, FAINT)
    if match.probability is not None:
        sheet.write((box[2], base), probability(match.probability), layout.text, anchor="rs")


def _draw_label(sheet: Sheet, layout: Layout, at: tuple[int, int], label: str, without: str) -> int:
    """Draw a label below a picture whose left lower corner is ``at``; returns the baseline of the line after it."""
    parts = label.split(JOIN)
    for line in range(layout.lines):
        last = line == layout.lines - 1
        part = " · ".join(parts[line:] if last else parts[line : line + 1])
        sheet.write((at[0], at[1] + layout.baseline(line)), part, layout.text, room=layout.tile)
    if not label:
        sheet.write((at[0], at[1] + layout.baseline(0)), without, layout.text, FAINT)
    return at[1] + layout.baseline(layout.lines)


def _grown(box: Box, by: int) -> Box:
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def _measured(match: Match) -> str:
    """The distance, or by a model of places and poses how likely each of the two is the same."""
    if not match.parts:
        return f"{match.distance:.3f}" if match.distance < 100 else f"{match.distance:.4g}"
    return " · ".join("?" if name in match.unknown else probability(value) for name, value in match.parts.items())
