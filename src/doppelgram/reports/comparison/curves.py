"""Figures of a comparison: how losses, miners and embedding sizes learn, and what they reach."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from doppelgram.comparison.result import Comparison, Setting
from doppelgram.numbers import number
from doppelgram.reports.figures import (
    DIRECT,
    INK,
    QUIET,
    SHARES,
    Line,
    canvas,
    draw_lines,
    epoch_axes,
    percent_axis,
    svg_text,
    titled,
    write_figure,
)
from doppelgram.reports.pages import write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def curve(epochs: pd.DataFrame, x: str, y: str) -> tuple[np.ndarray[Any, Any], ...] | None:
    """The mean over seeds of a figure after each epoch, with the lowest and highest seed; None where there is none.

    Args:
        epochs: rows of `Comparison.epochs` of one setting.
        x: ``epoch`` or ``clock``, whose mean over seeds is taken too.
        y: ``accuracy``, ``active`` or ``train_loss``.

    Returns:
        Places, means, lowest and highest, each (epochs,).
    """
    known = epochs.dropna(subset=[y])
    if not len(known):
        return None
    by_epoch = known.groupby("epoch")
    values = by_epoch[y].agg(["mean", "min", "max"])
    places = values.index.to_numpy(float) if x == "epoch" else by_epoch[x].mean().to_numpy(float)
    return places, *(values[column].to_numpy(float) for column in ("mean", "min", "max"))


def _lines(comparison: Comparison, x: str, y: str, *, loss: str | None = None, dim: int) -> list[Line]:
    """One line a setting of this size (and loss), named by what tells the settings apart."""
    chosen = [s for s in comparison.settings if s.dim == dim and loss in (None, s.loss)]
    losses = list(dict.fromkeys(s.loss for s in chosen))
    found = []
    for s in chosen:
        table = comparison.epochs
        rows = table[(table["loss"] == s.loss) & (table["miner"] == s.miner) & (table["dim"] == s.dim)]
        points = curve(rows, x, y)
        if points is not None:
            group = _group(comparison, s)
            name = f"{s.loss}, {s.miner}" if len(losses) > 1 and comparison.mines(s) else group
            found.append(Line(name, group, losses.index(s.loss) if comparison.mines(s) else 0, *points))
    return found


def _losses(comparison: Comparison, dim: int | None = None) -> list[str]:
    """Every loss, or those that were tried with a size."""
    return list(dict.fromkeys(s.loss for s in comparison.settings if dim in (None, s.dim)))


def learning_figure(comparison: Comparison) -> Figure:
    """Training loss and share of active tuples per epoch, a row a loss: their scales cannot be compared."""
    dim, groups = comparison.best.dim, _groups(comparison)
    losses = _losses(comparison, dim)
    figure, grid = canvas(f"How training went, {dim} dims", len(losses), 2, size=(9.6, 3.1 * len(losses) + 0.6))
    for row, loss in enumerate(losses):
        left, right = grid[row]
        losing = _lines(comparison, "epoch", "train_loss", loss=loss, dim=dim)
        least = min((float(line.low.min()) for line in losing), default=0.0)
        draw_lines(left, losing, groups, limits=(0.0, None) if least >= 0 else None)
        active = _lines(comparison, "epoch", "active", loss=loss, dim=dim)
        draw_lines(right, active, groups, limits=SHARES)
        if not active:
            middle: dict[str, Any] = {"ha": "center", "va": "center", "transform": right.transAxes}
            right.text(0.5, 0.5, "this loss does not count them", color=QUIET, fontsize=9.5, **middle)
            right.set_yticks([])
        else:
            percent_axis(right)
        titled(left, f"{loss}: training loss")
        titled(right, f"{loss}: share of active tuples")
    for axes in grid:
        epoch_axes(axes)
    return figure


def progress_figure(comparison: Comparison) -> Figure:
    """Validation P@1 against epochs and against the clock, a row a loss."""
    dim = comparison.best.dim
    together = len([s for s in comparison.settings if s.dim == dim]) <= DIRECT
    rows: list[str | None] = [None] if together else [*_losses(comparison, dim)]
    height = (3.6 if together else 3.1) * len(rows) + 0.6
    figure, grid = canvas(f"How soon it learns, {dim} dims", len(rows), 2, size=(9.6, height), sharey=True)
    for row, loss in enumerate(rows):
        for axes, x, title in zip(grid[row], ("epoch", "clock"), ("by epochs", "by the clock"), strict=True):
            draw_lines(axes, _lines(comparison, x, "accuracy", loss=loss, dim=dim), _groups(comparison))
            titled(axes, f"{loss or 'Validation P@1'} {title}")
            percent_axis(axes)
    for left, right in grid:
        epoch_axes([left])
        right.set_xlabel("Seconds of training", color=QUIET, fontsize=9.5)
    return figure


def size_figure(comparison: Comparison) -> Figure:
    """P@1 of the queries against embedding size, with 95 % intervals; a panel a loss."""
    losses = _losses(comparison)
    dims = sorted({s.dim for s in comparison.settings})
    columns = min(3, len(losses))
    rows = -(-len(losses) // columns)
    size = 3.4 * columns + 1.6, 3.5 * rows + 0.6
    figure, grid = canvas("What each embedding size reaches", rows, columns, size=size, sharey=True)
    panels = [axes for row in grid for axes in row]
    for axes, loss in zip(panels, losses, strict=False):
        lines: list[Line] = []
        for miner in dict.fromkeys(s.miner for s in comparison.settings if s.loss == loss):
            table = comparison.table.query("loss == @loss and miner == @miner").sort_values("dim")
            # Set apart a little, so that intervals do not lie on each other.
            x = np.array([dims.index(dim) for dim in table["dim"]], dtype=float) + 0.06 * len(lines)
            values = [table[column].to_numpy(float) for column in ("p1", "p1_low", "p1_high")]
            name = _group(comparison, Setting(loss, miner, int(table["dim"].iloc[0])))
            lines.append(Line(name, name, 0, x, *values))
        draw_lines(axes, lines, _groups(comparison), bars=True)
        axes.set_xticks(range(len(dims)), [str(dim) for dim in dims])
        axes.set_xlim(-0.25, len(dims) - 0.7)
        titled(axes, loss, "Numbers in an embedding")
        percent_axis(axes)
    for axes in panels[len(losses) :]:
        axes.set_visible(False)
    return figure


def heat_figure(comparison: Comparison) -> Figure:
    """P@1 of every setting as a table of colours: a row a loss and miner, a column an embedding size."""
    from matplotlib.colors import LinearSegmentedColormap

    dims = sorted({s.dim for s in comparison.settings})
    rows = list(dict.fromkeys((s.loss, s.miner) for s in comparison.settings))
    mining = {s.loss for s in comparison.settings if comparison.mines(s)}
    values = np.full((len(rows), len(dims)), np.nan)
    text: dict[tuple[int, int], tuple[str, str]] = {}
    for entry in comparison.table.to_dict("records"):
        place = rows.index((entry["loss"], entry["miner"])), dims.index(entry["dim"])
        values[place] = entry["p1"]
        share, low, high = (number(100 * entry[column]) for column in ("p1", "p1_low", "p1_high"))
        text[place] = share, f"{low} to {high}"
    title = "Nearest image of the right class, in percent (95 % interval)"
    figure, grid = canvas(title, size=(max(6.4, 2.6 + 1.15 * len(dims)), 1.5 + 0.56 * len(rows)))
    axes = grid[0][0]
    colours = LinearSegmentedColormap.from_list("blues", ["#f2f6fa", "#9cc3e0", "#2f7bb5", "#0b3c66"])
    least, most = float(np.nanmin(values)), float(np.nanmax(values))
    # Cells as shapes, not as an image, so that the SVG stays sharp.
    edges = np.arange(len(dims) + 1) - 0.5, np.arange(len(rows) + 1) - 0.5
    axes.pcolormesh(*edges, values, cmap=colours, vmin=least - 0.02, vmax=most + 0.02, edgecolor="white", linewidth=2)
    axes.invert_yaxis()
    for (row, column), lines in text.items():
        dark = (values[row, column] - least + 0.02) / (most - least + 0.04) > 0.55
        look: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "va": "center"}
        look["color"] = "white" if dark else INK
        axes.annotate(lines[0], (column, row), (0, 5), fontsize=10.5, fontweight="bold", **look)
        axes.annotate(lines[1], (column, row), (0, -7), fontsize=8, **look)
    axes.set_xticks(range(len(dims)), [f"{dim} dims" for dim in dims])
    axes.set_yticks(range(len(rows)), [f"{loss}, {miner}" if loss in mining else loss for loss, miner in rows])
    axes.tick_params(top=True, labeltop=True, labelbottom=False, labelcolor=INK)
    axes.grid(False)
    axes.spines["bottom"].set_visible(False)
    return figure


def mining_figure(comparison: Comparison) -> Figure | None:
    """A slide of what mining does: validation P@1 and share of active tuples per epoch, a line a miner.

    Shown for the loss and size that most miners were tried with, of several for the triplet loss and the best size;
    None if no loss had two miners.
    """
    tried: dict[tuple[str, int], list[Setting]] = {}
    for setting in comparison.settings:
        if comparison.mines(setting):
            tried.setdefault((setting.loss, setting.dim), []).append(setting)
    if not tried or max(map(len, tried.values())) < 2:
        return None

    def merit(key: tuple[str, int]) -> tuple[bool, int, bool, float]:
        counted = comparison.epochs[comparison.epochs["loss"] == key[0]]["active"].notna().any()
        reached = max(comparison.values["p1"][comparison.settings.index(s)] for s in tried[key])
        return bool(counted), len(tried[key]), key[0].startswith("triplet"), float(reached)

    loss, dim = max(tried, key=merit)
    figure, grid = canvas(f"What mining does: {loss} loss, {dim} dims", 1, 2, size=(12.2, 6.0), big=True)
    left, right = grid[0]
    draw_lines(left, _lines(comparison, "epoch", "accuracy", loss=loss, dim=dim), _groups(comparison), big=True)
    active = _lines(comparison, "epoch", "active", loss=loss, dim=dim)
    draw_lines(right, active, _groups(comparison), big=True, limits=SHARES)
    titled(left, "Nearest validation image is of the right class", size=12.5)
    titled(right, "Share of a batch's triplets that violate the margin", size=12.5)
    if active:
        percent_axis(right)
    seeds = len(comparison.seeds())
    remarks = [f"Means of {seeds} seeds; bands from the lowest to the highest." if seeds > 1 else "One seed."]
    remarks.append("Right: of all triplets of a batch, whichever of them the miner chose.")
    figure.supxlabel(" ".join(remarks), x=0.015, ha="left", fontsize=10.5, color=QUIET)
    percent_axis(left)
    epoch_axes(grid[0], 12)
    return figure


def _groups(comparison: Comparison) -> list[str]:
    """Everything that a colour stands for, in one order for all figures of a comparison; miners first."""
    ordered = sorted(comparison.settings, key=comparison.mines, reverse=True)
    return list(dict.fromkeys(_group(comparison, setting) for setting in ordered))


def _group(comparison: Comparison, setting: Setting) -> str:
    """What a setting's colour stands for: its miner, or its loss if that uses none."""
    return setting.miner if comparison.mines(setting) else setting.loss


def write_curves(folder: Path, comparison: Comparison) -> dict[str, str]:
    """Draw every figure into a folder, as PNG and SVG.

    Returns:
        The SVG text by name, in the order of reading: ``heat``, ``sizes``, ``progress``, ``learning``, ``mining``.

    Raises:
        DoppelgramError: the folder cannot be written to.
    """
    trained = comparison.epochs["accuracy"].notna().any()
    plans: dict[str, Callable[[Comparison], Figure | None] | None] = {
        "heat": heat_figure,
        "sizes": size_figure if len({s.dim for s in comparison.settings}) > 1 else None,
        "progress": progress_figure if trained else None,
        "learning": learning_figure,
        "mining": mining_figure if trained else None,
    }
    written = {}
    for name, draw in plans.items():
        figure = draw(comparison) if draw else None
        if figure is None:
            for ending in ("png", "svg"):  # of an earlier report, of which this is none any more
                (folder / f"{name}.{ending}").unlink(missing_ok=True)
            continue
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # what is laid out once is laid out for both files
        write_figure(figure, folder / f"{name}.png", dpi=180)
        written[name] = svg_text(figure, name)
        write_text(folder / f"{name}.svg", written[name])
    return written
