"""The montage: a picture of queries and their nearest neighbours."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from doppelgram.catalog.drawing import (
    CARD,
    FAINT,
    INK,
    PAGE,
    Colour,
    badge,
    blank,
    fitted,
    font,
    rounded,
    shorten,
    write,
)
from doppelgram.catalog.search import Match, Neighbours
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.collection import JOIN
from doppelgram.errors import DoppelgramError
from doppelgram.images.batch import content_hash
from doppelgram.images.decode import decode, open_image

# Blue and vermilion of Okabe and Ito's palette, which the common forms of colour blindness tell apart.
SAME: Colour = (0, 114, 178)
DIFFERENT: Colour = (213, 94, 0)
UNKNOWN: Colour = (196, 200, 205)

_VERDICTS: dict[str, tuple[Colour, str, str]] = {
    "same": (SAME, "tick", "same label as the query"),
    "different": (DIFFERENT, "cross", "another label"),
    "unknown": (UNKNOWN, "", "no label to compare"),
}
_SMALLEST, _LARGEST, _MOST_PIXELS = 64, 512, 150_000_000


@dataclass(frozen=True)
class _Layout:
    """Lengths in pixels, all from the side of a picture."""

    tile: int

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
        return round(3.4 * self.text)

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


def draw_montage(
    neighbours: Sequence[Neighbours],
    catalog: Catalog,
    file: Path,
    *,
    tile: int = 132,
    query_labels: Mapping[str, str] | None = None,
) -> Path:
    """Draw one row a query: the query at the left, then its neighbours in order, as a PNG.

    Under each neighbour stand its label, the distance, and the probability that it shows the same. Where both labels
    are known, a blue frame with a tick or an orange frame with a cross says whether they agree. Neighbours are shown
    from the catalog's thumbnails; so are queries whose content it holds.

    Args:
        neighbours: what `search_catalog` returned.
        catalog: what it searched.
        file: the PNG to write; it is replaced whole.
        tile: side of a picture in pixels, 64 to 512.
        query_labels: labels by ``Neighbours.query``, for queries that the catalog does not hold.

    Returns:
        ``file``.

    Raises:
        DoppelgramError: nothing to draw, more than one picture can hold, or the file cannot be written.
    """
    if not neighbours:
        raise DoppelgramError("there are no search results to draw")
    if not _SMALLEST <= tile <= _LARGEST:
        raise DoppelgramError(f"tile is {tile}; it must be {_SMALLEST} to {_LARGEST} pixels")
    layout = _Layout(tile)
    columns = max(1, *(len(found.matches) for found in neighbours))
    ids = [found.id or _digest(found.query) for found in neighbours]
    wanted = [*ids, *(match.id for found in neighbours for match in found.matches)]
    stored = catalog.find(wanted, ["label", "thumbnail"])
    labels: dict[str, str] = dict(zip(stored.index, stored["label"], strict=True))
    thumbnails: dict[str, bytes] = dict(zip(stored.index, stored["thumbnail"], strict=True))
    given = query_labels or {}
    names = [labels.get(key) or given.get(found.query, "") for key, found in zip(ids, neighbours, strict=True)]
    verdicts = [
        [_verdict(name, match.label) for match in found.matches] for name, found in zip(names, neighbours, strict=True)
    ]

    legend = _Legend(layout, Counter(verdict for row in verdicts for verdict in row))
    right = max(layout.first + columns * layout.column - layout.space, layout.margin + legend.width)
    width, height = right + layout.margin, layout.header + len(neighbours) * layout.row + layout.footer
    if width * height > _MOST_PIXELS:
        raise DoppelgramError(
            f"{len(neighbours)} queries with {columns} neighbours do not fit into one picture; draw fewer of them"
        )
    page = Image.new("RGB", (width, height), PAGE)
    queries, images = _count(len(neighbours), "query", "queries"), _count(len(catalog), "image", "images")
    _draw_header(page, layout, f"{queries} in a catalog of {images}", legend, columns)
    for row, (found, key, name) in enumerate(zip(neighbours, ids, names, strict=True)):
        top = layout.header + row * layout.row
        _draw_query(page, layout, top, _query_picture(found.query, thumbnails.get(key), tile), name, found.query)
        for position, (match, verdict) in enumerate(zip(found.matches, verdicts[row], strict=True)):
            at = (layout.first + position * layout.column, top + layout.pad)
            _draw_match(page, layout, at, _from_thumbnail(thumbnails.get(match.id), tile), match, verdict)
        if not found.matches:
            middle = (layout.first, top + layout.pad + tile / 2)
            write(ImageDraw.Draw(page), middle, "nothing else to compare with", layout.text, FAINT, "lm")
    calibrated = any(match.probability is not None for found in neighbours for match in found.matches)
    _draw_footer(page, layout, calibrated)
    return _save(page, Path(file))


class _Legend:
    """What the frames mean and how many there are of each, in one line."""

    def __init__(self, layout: _Layout, counts: Counter[str]) -> None:
        self.layout = layout
        total = sum(counts.values())
        self.items = [
            (verdict, f"{text} ({counts[verdict]:,} of {total:,})")
            for verdict, (_, _, text) in _VERDICTS.items()
            if counts[verdict]
        ]
        self.sign = round(1.4 * layout.text)
        self.gap = 2 * layout.text
        lengths = [self.sign + layout.text // 2 + font(layout.text).getlength(text) for _, text in self.items]
        self.width = round(sum(lengths)) + self.gap * max(0, len(lengths) - 1)

    def draw(self, page: Image.Image, left: float, middle: int) -> None:
        draw = ImageDraw.Draw(page)
        for verdict, text in self.items:
            colour, symbol, _ = _VERDICTS[verdict]
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


def _draw_header(page: Image.Image, layout: _Layout, subtitle: str, legend: _Legend, columns: int) -> None:
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


def _draw_footer(page: Image.Image, layout: _Layout, calibrated: bool) -> None:
    text = "Below each picture: its label and its distance from the query"
    if calibrated:
        text += "; at the right, the probability that both show the same"
    text = shorten(text + ".", layout.text, page.width - 2 * layout.margin)
    base = page.height - layout.margin + round(0.3 * layout.text)
    write(ImageDraw.Draw(page), (layout.margin, base), text, layout.text, FAINT, "ls")


def _draw_query(page: Image.Image, layout: _Layout, top: int, picture: Image.Image, label: str, query: str) -> None:
    left = layout.margin
    side = layout.tile + 2 * layout.pad
    rounded(page, (left, top, left + side, top + side + layout.caption), layout.of(0.1), CARD)
    left, top = left + layout.pad, top + layout.pad
    rounded(page, (left, top, left + layout.tile, top + layout.tile), layout.of(0.05), picture)
    heading = shorten(_shown(label), layout.text, layout.tile) or "label not known"
    name = shorten(os.path.basename(query) or query, layout.text, layout.tile, middle=True)
    _caption(page, layout, left, top, (heading, INK if label else FAINT), (name, FAINT))


def _draw_match(
    page: Image.Image, layout: _Layout, at: tuple[int, int], picture: Image.Image, match: Match, verdict: str
) -> None:
    left, top = at
    colour, symbol, _ = _VERDICTS[verdict]
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
    label = shorten(_shown(match.label), layout.text, layout.tile) or "no label"
    _caption(page, layout, left, top, (label, INK if match.label else FAINT), (_number(match.distance), FAINT))
    if match.probability is not None:
        base = top + layout.tile + round(2.9 * layout.text)
        write(ImageDraw.Draw(page), (box[2], base), _percent(match.probability), layout.text, INK, "rs")


def _caption(page: Image.Image, layout: _Layout, left: int, top: int, *lines: tuple[str, Colour]) -> None:
    draw = ImageDraw.Draw(page)
    for row, (text, colour) in enumerate(lines):
        base = top + layout.tile + round((1.55 + 1.35 * row) * layout.text)
        write(draw, (left, base), text, layout.text, colour, "ls")


def _inset(box: tuple[int, int, int, int], by: int) -> tuple[int, int, int, int]:
    return box[0] + by, box[1] + by, box[2] - by, box[3] - by


def _verdict(query: str, found: str) -> str:
    if not query or not found:
        return "unknown"
    return "same" if query == found else "different"


def _shown(label: str) -> str:
    return label.replace(JOIN, " · ")


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _number(distance: float) -> str:
    return f"{distance:.3f}" if distance < 100 else f"{distance:.4g}"


def _percent(probability: float) -> str:
    if 0 < probability < 0.01:
        return "< 1 %"
    if 0.99 < probability < 1:
        return "> 99 %"
    return f"{100 * probability:.0f} %"


def _digest(query: str) -> str:
    try:
        return content_hash(query)
    except DoppelgramError:
        return ""


def _query_picture(query: str, thumbnail: bytes | None, tile: int) -> Image.Image:
    if thumbnail is not None:
        return _from_thumbnail(thumbnail, tile)
    try:
        return fitted(open_image(query, at_least=2 * tile), tile)
    except DoppelgramError:
        return blank(tile)


def _from_thumbnail(thumbnail: bytes | None, tile: int) -> Image.Image:
    try:
        return fitted(decode(thumbnail or b""), tile)
    except DoppelgramError:
        return blank(tile)


def _save(page: Image.Image, file: Path) -> Path:
    aside = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        page.save(aside, "PNG")
        os.replace(aside, file)
    except OSError as problem:
        aside.unlink(missing_ok=True)
        raise DoppelgramError(f"{file}: cannot be written: {problem.strerror or problem}") from problem
    return file
