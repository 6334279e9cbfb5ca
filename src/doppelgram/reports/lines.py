"""Lines with bands and names at their ends, on axes in one style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette without its yellow, which is too faint for lines; told apart by every kind of colour vision.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_STYLES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)))
INK, QUIET, RULE = "#1f2328", "#656d76", "#d9dee3"
# As many lines as can be labelled at their ends without crowding.
DIRECT = 6
# Limits of an axis of shares: 0 to 1 with room for the lines at both ends.
SHARES = (-0.04, 1.06)


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
        style = _STYLES[(line.dashes + place // len(PALETTE)) % len(_STYLES)]
        few = len(line.x) < 4
        axes.plot(line.x, line.y, color=colour, linestyle=style, linewidth=width, marker="o" if few or bars else None,
                  markersize=4.5, zorder=3, solid_capstyle="round")  # fmt: skip
        if bars:
            axes.vlines(line.x, line.low, line.high, color=colour, linewidth=1.2, alpha=0.7)
        elif len(line.x) > 1:
            axes.fill_between(
                line.x, line.low, line.high, color=colour, alpha=0.16 if len(lines) < 4 else 0.09, linewidth=0
            )
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
    for (_, _, name, colour), place in zip(order, places, strict=True):
        axes.annotate(name, (1.0, place), (5, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                      va="center", color=colour, fontsize=size, annotation_clip=False)  # fmt: skip


def canvas(
    title: str, rows: int, columns: int, *, width: float, height: float, sharey: bool = False, big: bool = False
) -> tuple[Figure, list[list[Axes]]]:
    """A figure of its own with a grid of axes, drawn by Agg; pyplot's global state is left alone."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height * rows + 0.6))
    figure.set_layout_engine("constrained", w_pad=0.1, h_pad=0.1, wspace=0.04, hspace=0.04)
    FigureCanvasAgg(figure)
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


def title_style(size: float = 10) -> dict[str, Any]:
    return {"loc": "left", "fontsize": size, "color": INK, "pad": 8}


def epoch_axes(row: Sequence[Axes], size: float = 9.5) -> None:
    from matplotlib.ticker import MaxNLocator

    for axes in row:
        axes.set_xlabel("Epoch", color=QUIET, fontsize=size)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))


def percent_axis(axes: Axes) -> None:
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g} %" if -1e-9 <= value <= 1 + 1e-9 else "")
