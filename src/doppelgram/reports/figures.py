"""Figures in one style: axes, lines with bands and names at their ends, and how a figure is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup, escape

from doppelgram.files import written_whole
from doppelgram.numbers import percent_tick
from doppelgram.reports.fonts import font_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette without its yellow, which is too faint for lines; every kind of colour vision tells its
# colours apart.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# What is the same, or right, and what differs.
SAME, DIFFERENT = PALETTE[:2]
INK, QUIET, RULE = "#1f2328", "#656d76", "#d9dee3"
# As many lines as can be labelled at their ends without crowding.
DIRECT = 6
# Limits of an axis of shares: 0 to 1 with room for the lines at both ends.
SHARES = (-0.04, 1.06)
_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)))


@dataclass(frozen=True)
class Line:
    """One line: its name, what decides its colour and its dashes, its points, and the band around it."""

    name: str
    group: str
    dashes: int
    x: np.ndarray[Any, Any]
    y: np.ndarray[Any, Any]
    low: np.ndarray[Any, Any]
    high: np.ndarray[Any, Any]


def canvas(
    title: str, rows: int = 1, columns: int = 1, *, size: tuple[float, float], sharey: bool = False, big: bool = False
) -> tuple[Figure, list[list[Axes]]]:
    """A figure of its own with a grid of axes, drawn by Agg; pyplot's global state is left alone.

    Args:
        title: above the whole.
        rows: of axes.
        columns: of axes.
        size: width and height in inches.
        sharey: whether the axes share their vertical scale.
        big: whether the letters are those of a slide.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size)
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.1, wspace=0.04, hspace=0.04)
    FigureCanvasAgg(figure)
    if title:
        figure.suptitle(title, x=0.015, ha="left", fontsize=17 if big else 12, fontweight="bold", color=INK)
    grid: Any = figure.subplots(rows, columns, squeeze=False, sharey=sharey)
    for axes in grid.flat:
        axes.grid(True, color=RULE, linewidth=0.7)
        axes.set_axisbelow(True)
        axes.tick_params(colors=QUIET, length=0, labelsize=11.5 if big else 9, pad=5)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(QUIET)
    return figure, [list(row) for row in grid]


def titled(axes: Axes, title: str = "", x: str = "", y: str = "", *, size: float = 9.5) -> None:
    """Name a panel and its axes."""
    axes.set_title(title, loc="left", fontsize=size + 0.5, color=INK, pad=8, parse_math=False)
    for name, setter in ((x, axes.set_xlabel), (y, axes.set_ylabel)):
        if name:
            setter(name, color=QUIET, fontsize=size, labelpad=6)


def percent_axis(axes: Axes, which: str = "y") -> None:
    """Name the marks of an axis of shares in percent."""
    (axes.yaxis if which == "y" else axes.xaxis).set_major_formatter(percent_tick)


def epoch_axes(row: Sequence[Axes], size: float = 9.5) -> None:
    """Whole numbers of epochs along the horizontal axes."""
    from matplotlib.ticker import MaxNLocator

    for axes in row:
        axes.set_xlabel("Epoch", color=QUIET, fontsize=size)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))


def draw_lines(
    axes: Axes,
    lines: Sequence[Line],
    groups: Sequence[str],
    *,
    bars: bool = False,
    big: bool = False,
    limits: tuple[float, float | None] | None = None,
) -> None:
    """Lines with bands (or bars), each named at its end in its colour."""
    size, width = (12.5, 2.6) if big else (9, 1.9)
    ends = []
    for line in lines:
        place = groups.index(line.group)
        colour = PALETTE[place % len(PALETTE)]
        style = _DASHES[(line.dashes + place // len(PALETTE)) % len(_DASHES)]
        marker = "o" if bars or len(line.x) < 4 else None
        look = {"color": colour, "linestyle": style, "linewidth": width, "marker": marker, "markersize": 4.5}
        axes.plot(line.x, line.y, zorder=3, solid_capstyle="round", **look)
        if bars:
            axes.vlines(line.x, line.low, line.high, color=colour, linewidth=1.2, alpha=0.7)
        elif len(line.x) > 1:
            opacity = 0.16 if len(lines) < 4 else 0.09
            axes.fill_between(line.x, line.low, line.high, color=colour, alpha=opacity, linewidth=0)
        ends.append((float(line.x[-1]), float(line.y[-1]), line.name, colour))
    if lines:
        axes.margins(x=0.03, y=0.08)
        if limits is not None:
            axes.set_ylim(*limits)
        _end_labels(axes, ends, size)


def _end_labels(axes: Axes, ends: Sequence[tuple[float, float, str, str]], size: float) -> None:
    """Names beside the lines' last points, pushed apart where they would overlap.

    They start right of the farthest point, so that none lies on a line.
    """
    figure: Any = axes.figure
    low, high = axes.get_ylim()
    height = axes.bbox.height / figure.dpi * 72 * 0.85  # points; constrained layout takes some for the titles
    gap = (high - low) * size * 1.25 / max(height, 1.0)
    order = sorted(ends, key=lambda end: end[1])
    places = [end[1] for end in order]
    for _ in range(200):
        for below in range(len(places) - 1):
            lack = gap - (places[below + 1] - places[below])
            if lack > 1e-9:
                places[below] -= lack / 2
                places[below + 1] += lack / 2
    where: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"),
        "textcoords": "offset points",
        "annotation_clip": False,
    }
    for (_, _, name, colour), place in zip(order, places, strict=True):
        axes.annotate(name, (1.0, place), (5, 0), va="center", color=colour, fontsize=size, **where)


@contextmanager
def lettering(figure: Figure) -> Iterator[None]:
    """Draw every text in a font that has its letters; those that no font has are boxes, without a warning."""
    import warnings

    from matplotlib.text import Text

    for text in figure.findobj(Text):
        name = font_name(text.get_text())
        if name:
            text.set_fontfamily(["DejaVu Sans", name])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def write_figure(figure: Figure, file: Path, *, dpi: int = 150) -> Path:
    """Write a figure as PNG or SVG, whole or not at all; the same figure gives the same bytes."""
    import matplotlib as mpl

    metadata = {"Date": None} if file.suffix.lower() == ".svg" else None
    steady = mpl.rc_context({"svg.hashsalt": file.stem, "svg.fonttype": "none"})
    with written_whole(file) as aside, steady, lettering(figure):
        figure.savefig(aside, dpi=dpi, facecolor="white", metadata=metadata)
    return file


def svg_text(figure: Figure, name: str) -> str:
    """The SVG of a figure; ``name`` makes its ids the same every time."""
    from io import StringIO

    import matplotlib as mpl

    stream = StringIO()
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}), lettering(figure):
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    return stream.getvalue()


def inline_svg(svg: str, name: str, label: str) -> Markup:
    """An SVG file as a part of a page: no prologue, ids that no other figure has, a label for who cannot see it."""
    body = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    body = re.sub(r' xmlns(:\w+)?="[^"]*"', "", body)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'(?:xlink:)?href="#', f'href="#{name}-', body)
    body = body.replace("url(#", f"url(#{name}-")
    return Markup(body.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1))
